-- What products are searched by in words: one row a product, kept by triggers, in a table of its own so that products,
-- with its index of vectors, is not written for it. 004 fills it. Plain SQL, safe to run twice.

DO $schema$
BEGIN
    -- CREATE SCHEMA IF NOT EXISTS asks for the right to create one also where it exists.
    IF to_regnamespace('decant') IS NULL THEN
        CREATE SCHEMA decant;
    END IF;
END
$schema$;

-- Stems of the Spanish dictionary, which leaves most English words alone; what else a word may look like is the
-- question's to try. Weights: A name and model, B brand and category, C description, D specifications and features.
-- Without weight and with # before: sku, model and barcode in capitals without punctuation.
CREATE TABLE IF NOT EXISTS decant.product_words (
    product_id uuid PRIMARY KEY,
    words tsvector NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_product_words ON decant.product_words USING gin (words);

-- Words and phrases of one group mean the same. Written and removed by `decant synonyms`; the first ones are only put
-- into a new table.
DO $synonyms$
DECLARE
    starter constant text[] := ARRAY[
        'notebook,laptop,portátil,computadora portátil,ordenador portátil',
        'celular,móvil,smartphone,teléfono móvil,teléfono celular,mobile phone,cell phone',
        'heladera,refrigerador,frigorífico,nevera,fridge,refrigerator',
        'lavarropas,lavadora,washing machine',
        'televisor,tele,televisión,tv,smart tv,television',
        'aire acondicionado,climatizador,air conditioner',
        'aspiradora,vacuum cleaner',
        'licuadora,batidora de vaso,blender',
        'cafetera,máquina de café,coffee maker,coffee machine',
        'freidora de aire,air fryer',
        'horno microondas,microondas,microwave',
        'pava eléctrica,hervidor,kettle,electric kettle',
        'parlante,altavoz,bocina,speaker',
        'auricular,audífono,casco,headphone,headset,earphone',
        'micrófono,microphone,mic',
        'mouse,ratón',
        'teclado,keyboard',
        'monitor,pantalla,display,screen',
        'cámara web,webcam,camara pc',
        'placa de video,tarjeta gráfica,tarjeta de video,gráfica,gpu,graphics card,video card',
        'placa madre,motherboard,tarjeta madre,placa base,mainboard,mother',
        'procesador,cpu,microprocesador,processor',
        'memoria ram,ram,memory',
        'disco ssd,ssd,disco sólido,unidad de estado sólido,solid state drive',
        'disco rígido,disco duro,hdd,hard drive,hard disk',
        'disco externo,external drive,external hard drive,portable drive',
        'almacenamiento,storage',
        'gabinete,carcasa,torre,case,chasis,pc case,caja',
        'fuente de alimentación,fuente de poder,psu,power supply',
        'refrigeración,cooler,disipador,cooling,heatsink',
        'refrigeración líquida,watercooling,water cooling,liquid cooler,liquid cooling,aio',
        'ventilador,fan,cooler fan',
        'ups,sai,no break,uninterruptible power supply',
        'placa wi-fi,tarjeta wifi,adaptador wifi,wifi card,wireless adapter',
        'inalámbrico,wireless,sin cables,sin cable',
        'cableado,wired',
        'mecánico,mechanical',
        'gamer,gaming,para juegos,para jugar',
        'retroiluminado,backlit,iluminado',
        'silencioso,silent,quiet',
        'negro,black',
        'blanco,white',
        'rojo,red',
        'azul,blue',
        'rosa,rosado,pink',
        'gris,gray,grey',
        'plateado,silver',
        'barato,económico,cheap,budget',
        'liviana,ligera,ultraliviana,liviano,ligero,lightweight',
        'curvo,curved',
        'táctil,touch,touchscreen',
        'cancelación de ruido,noise cancelling,noise canceling',
        'impresora,printer',
        'tableta,tablet',
        'cargador,charger',
        'funda,estuche,carcasa protectora,sleeve',
        'pulgada,inch'];
    line text;
    number int := 0;
BEGIN
    IF to_regclass('decant.synonyms') IS NOT NULL THEN RETURN; END IF;
    CREATE TABLE decant.synonyms (
        word text PRIMARY KEY,  -- in lower case and without accents
        written text NOT NULL,  -- as it was given
        group_id bigint NOT NULL
    );
    CREATE INDEX synonyms_group ON decant.synonyms (group_id);
    CREATE SEQUENCE decant.synonym_groups OWNED BY decant.synonyms.group_id;
    FOREACH line IN ARRAY starter LOOP
        number := nextval('decant.synonym_groups');
        INSERT INTO decant.synonyms (word, written, group_id)
            SELECT translate(lower(w), 'áéíóúüñ', 'aeiouun'), w, number FROM unnest(string_to_array(line, ',')) w
            ON CONFLICT (word) DO NOTHING;
    END LOOP;
END
$synonyms$;

-- These functions run as the owner of the table, so that who may write products need not know of it, and do nothing
-- where it is gone. Their text names only columns that the catalog has: one that is older than decant may lack some.
DO $functions$
DECLARE
    reads text;
    joins text := '';
    codes text;
    columns text;
    changed text;
    has_column constant text := 'EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(%L) '
                                'AND attname = %L AND NOT attisdropped)';
    has jsonb := '{}';
    wanted record;
    found bool;
BEGIN
    FOR wanted IN SELECT * FROM (VALUES
        ('name'), ('model'), ('description'), ('short_description'), ('specs'), ('technical_specs'), ('features'),
        ('sku'), ('barcode'), ('category_id'), ('subcategory_id'), ('brand_id')) AS w (name)
    LOOP
        EXECUTE 'SELECT ' || format(has_column, 'products', wanted.name) INTO found;
        IF found THEN has := has || jsonb_build_object(wanted.name, true); END IF;
    END LOOP;
    SELECT string_agg(format('%I', key), ', ' ORDER BY key) INTO columns FROM jsonb_object_keys(has) key;
    SELECT format('(%s) IS DISTINCT FROM (%s)',
                  string_agg(format('OLD.%I%s', key, cast_of), ', ' ORDER BY key),
                  string_agg(format('NEW.%I%s', key, cast_of), ', ' ORDER BY key))
        INTO changed
        FROM (SELECT key, CASE WHEN key IN ('technical_specs', 'features') THEN '::jsonb' ELSE '' END AS cast_of
              FROM jsonb_object_keys(has) key) keys;

    -- Of texts of any length only the beginning: a tsvector takes a megabyte.
    reads := 'setweight(to_tsvector(''pg_catalog.spanish'', concat_ws('' '', p.name'
             || CASE WHEN has ? 'model' THEN ', p.model' ELSE '' END || ')), ''A'')'
             || ' || setweight(to_tsvector(''pg_catalog.spanish'', translate(concat_ws('' '', '''''
             || CASE WHEN has ? 'brand_id' THEN ', b.name, b.display_name' ELSE '' END
             || CASE WHEN has ? 'category_id' THEN ', c.name, c.display_name' ELSE '' END
             || CASE WHEN has ? 'subcategory_id' THEN ', s.name, s.display_name' ELSE '' END || '), ''_'', '' '')), ''B'')'
             || ' || setweight(to_tsvector(''pg_catalog.spanish'', left(concat_ws('' '', '''''
             || CASE WHEN has ? 'description' THEN ', p.description' ELSE '' END
             || CASE WHEN has ? 'short_description' THEN ', p.short_description' ELSE '' END || '), 20000)), ''C'')'
             || ' || setweight(to_tsvector(''pg_catalog.spanish'', left(concat_ws('' '', '''''
             || CASE WHEN has ? 'specs' THEN ', p.specs' ELSE '' END
             || CASE WHEN has ? 'technical_specs' THEN ', p.technical_specs::text' ELSE '' END
             || CASE WHEN has ? 'features' THEN ', p.features::text' ELSE '' END || '), 20000)), ''D'')';
    SELECT string_agg(format('''#'' || upper(nullif(regexp_replace(p.%I, ''[^[:alnum:]]'', '''', ''g''), ''''))', code), ', ')
        INTO codes FROM unnest(ARRAY['sku', 'model', 'barcode']) code WHERE has ? code;
    IF codes IS NOT NULL THEN
        reads := reads || format(' || array_to_tsvector(array_remove(ARRAY[%s], NULL))', codes);
    END IF;
    IF has ? 'category_id' THEN joins := joins || ' LEFT JOIN categories c ON c.id = p.category_id'; END IF;
    IF has ? 'brand_id' THEN joins := joins || ' LEFT JOIN brands b ON b.id = p.brand_id'; END IF;
    IF has ? 'subcategory_id' THEN joins := joins || ' LEFT JOIN subcategories s ON s.id = p.subcategory_id'; END IF;

    EXECUTE format($make$
        CREATE OR REPLACE FUNCTION decant_refresh_words(ids uuid[]) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path FROM CURRENT
        AS $body$
        BEGIN
            IF to_regclass('decant.product_words') IS NULL THEN RETURN; END IF;
            INSERT INTO decant.product_words (product_id, words)
                SELECT p.id, %s FROM products p%s WHERE p.id = ANY (ids) ORDER BY p.id
                ON CONFLICT (product_id) DO UPDATE SET words = excluded.words
                WHERE product_words.words IS DISTINCT FROM excluded.words;
        END
        $body$ $make$, reads, joins);
    EXECUTE format($make$
        CREATE OR REPLACE FUNCTION decant_words_of_product() RETURNS trigger
        LANGUAGE plpgsql
        SET search_path FROM CURRENT
        AS $body$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                PERFORM decant_refresh_words(ARRAY[NEW.id]);
            ELSIF %s THEN
                PERFORM decant_refresh_words(ARRAY[NEW.id]);
            END IF;
            RETURN NULL;
        END
        $body$ $make$, changed);
    -- The list of columns keeps an UPDATE of price or stock from even asking.
    EXECUTE format('CREATE OR REPLACE TRIGGER decant_words AFTER INSERT OR UPDATE OF %s ON products '
                   'FOR EACH ROW EXECUTE FUNCTION decant_words_of_product()', columns);
END
$functions$;

CREATE OR REPLACE FUNCTION decant_words_of_removed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
    IF pg_catalog.to_regclass('decant.product_words') IS NOT NULL THEN
        DELETE FROM decant.product_words w USING removed r WHERE w.product_id OPERATOR(pg_catalog.=) r.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER decant_words_removed
AFTER DELETE ON products REFERENCING OLD TABLE AS removed FOR EACH STATEMENT
EXECUTE FUNCTION decant_words_of_removed();

-- The products of a renamed category, subcategory or brand; TG_ARGV[0] is the column that names it.
CREATE OR REPLACE FUNCTION decant_words_of_renamed() RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    ids uuid[];
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute
               WHERE attrelid = to_regclass('products') AND attname = TG_ARGV[0] AND NOT attisdropped) THEN
        EXECUTE format('SELECT array_agg(id) FROM products WHERE %I = $1', TG_ARGV[0]) INTO ids USING NEW.id;
        PERFORM decant_refresh_words(coalesce(ids, '{}'));
    END IF;
    RETURN NULL;
END
$$;

DO $renamed$
DECLARE
    named record;
BEGIN
    FOR named IN SELECT * FROM (VALUES ('categories', 'category_id'), ('subcategories', 'subcategory_id'),
                                       ('brands', 'brand_id')) AS n (relation, key)
                 WHERE to_regclass(relation) IS NOT NULL
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER decant_words_renamed AFTER UPDATE ON %I FOR EACH ROW '
                       'WHEN ((OLD.name, OLD.display_name) IS DISTINCT FROM (NEW.name, NEW.display_name)) '
                       'EXECUTE FUNCTION decant_words_of_renamed(%L)', named.relation, named.key);
    END LOOP;
END
$renamed$;
