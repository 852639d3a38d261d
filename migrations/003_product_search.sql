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
        'computadora,ordenador,computador,computer',
        'computadora de escritorio,ordenador de sobremesa,desktop',
        'celular,móvil,smartphone,teléfono móvil,teléfono celular,mobile phone,cell phone',
        'heladera,refrigerador,frigorífico,nevera,fridge,refrigerator',
        'lavarropas,lavadora,washing machine',
        'televisor,tele,televisión,tv,smart tv,television',
        'aire acondicionado,climatizador,air conditioner',
        'lavavajillas,lavaplatos,dishwasher',
        'plancha,iron',
        'secador de pelo,secadora de cabello,hair dryer',
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
        'nvme,m.2',
        'disco rígido,disco duro,hdd,hard drive,hard disk',
        'disco externo,external drive,external hard drive,portable drive',
        'pendrive,pen drive,memoria usb,usb flash drive',
        'almacenamiento,storage',
        'gabinete,carcasa,torre,case,chasis,pc case,caja',
        'fuente de alimentación,fuente de poder,psu,power supply',
        'refrigeración,cooler,disipador,cooling,heatsink',
        'refrigeración líquida,watercooling,water cooling,liquid cooler,liquid cooling,aio',
        'ventilador,fan,cooler fan',
        'ups,sai,no break,uninterruptible power supply',
        'wifi,wi-fi',
        'placa wi-fi,tarjeta wifi,adaptador wifi,wifi card,wifi adapter,wireless adapter',
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
        'dorado,gold,golden',
        'verde,green',
        'amarillo,yellow',
        'naranja,orange',
        'violeta,morado,púrpura,purple',
        'barato,económico,cheap,budget',
        'liviana,ligera,ultraliviana,liviano,ligero,lightweight',
        'curvo,curved',
        'táctil,touch,touchscreen',
        'cancelación de ruido,noise cancelling,noise canceling',
        '4k,uhd,ultra hd,3840 x 2160',
        '1440p,qhd,2560 x 1440',
        '1080p,full hd,fhd,1920 x 1080',
        'ergonómico,ergonomic',
        'tkl,tenkeyless',
        'teclado numérico,numpad,numeric keypad',
        'impresora,printer',
        'tableta,tablet',
        'reloj inteligente,smartwatch,smart watch',
        'joystick,mando,gamepad,game controller',
        'router,enrutador,ruteador',
        'batería externa,cargador portátil,power bank',
        'cargador,charger',
        'funda,estuche,carcasa protectora,sleeve',
        'pulgada,inch'];
    line text;
    number int := 0;
BEGIN
    IF to_regclass('decant.synonyms') IS NOT NULL THEN RETURN; END IF;
    CREATE TABLE decant.synonyms (
        word text PRIMARY KEY,  -- in lower case, without accents and punctuation, one blank between words
        written text NOT NULL,  -- as it was given
        group_id bigint NOT NULL,
        place bigint GENERATED ALWAYS AS IDENTITY
    );
    CREATE INDEX synonyms_group ON decant.synonyms (group_id);
    CREATE SEQUENCE decant.synonym_groups OWNED BY decant.synonyms.group_id;
    FOREACH line IN ARRAY starter LOOP
        number := nextval('decant.synonym_groups');
        INSERT INTO decant.synonyms (word, written, group_id)
            SELECT translate(lower(w), 'áéíóúüñ-.', 'aeiouun  '), w, number FROM unnest(string_to_array(line, ',')) w
            ON CONFLICT (word) DO NOTHING;
    END LOOP;
END
$synonyms$;

-- These functions run as the owner of the table, so that who may write products need not know of it, and do nothing
-- where it or a column that they read is gone. They are beside products, so that the catalog can be dumped and restored
-- without the schema decant. Their text names only what the catalog has: one that is older than decant may lack some.
DO $functions$
DECLARE
    place constant text := (SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                            WHERE c.oid = to_regclass('products'));
    made record;
BEGIN
    -- Words that no trigger kept may be old; 004 makes them anew.
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass('products') AND tgname = 'decant_words_changed') THEN
        TRUNCATE decant.product_words;
    END IF;

    WITH wanted (label, relation, alias, name) AS (VALUES
             ('A', 'products', 'p', 'name'), ('A', 'products', 'p', 'model'),
             ('B', 'brands', 'b', 'name'), ('B', 'brands', 'b', 'display_name'),
             ('B', 'categories', 'c', 'name'), ('B', 'categories', 'c', 'display_name'),
             ('B', 'subcategories', 's', 'name'), ('B', 'subcategories', 's', 'display_name'),
             ('C', 'products', 'p', 'description'), ('C', 'products', 'p', 'short_description'),
             ('D', 'products', 'p', 'specs'), ('D', 'products', 'p', 'technical_specs'), ('D', 'products', 'p', 'features'),
             ('#', 'products', 'p', 'sku'), ('#', 'products', 'p', 'model'), ('#', 'products', 'p', 'barcode'),
             ('', 'products', 'p', 'id'), ('', 'products', 'p', 'category_id'), ('', 'products', 'p', 'subcategory_id'),
             ('', 'products', 'p', 'brand_id')),
         keys (relation, alias, key) AS (VALUES
             ('brands', 'b', 'brand_id'), ('categories', 'c', 'category_id'), ('subcategories', 's', 'subcategory_id')),
         there AS (
             SELECT w.*, a.atttypid = 'json'::regtype AS is_json
             FROM wanted w JOIN pg_attribute a ON a.attrelid = to_regclass(format('%s.%I', place, w.relation))
                                              AND a.attname = w.name AND NOT a.attisdropped),
         -- A brand has words only where a product can name it.
         has AS (
             SELECT t.* FROM there t LEFT JOIN keys k USING (relation)
             WHERE k.key IS NULL OR EXISTS (SELECT FROM there o WHERE o.relation = 'products' AND o.name = k.key)),
         own AS (
             -- json has no equality.
             SELECT DISTINCT name, CASE WHEN is_json THEN '::text' ELSE '' END AS cast_of
             FROM has WHERE relation = 'products'),
         -- Of texts of any length only the beginning: a tsvector takes a megabyte. A category's name has underscores.
         labelled AS (
             SELECT label, format('setweight(to_tsvector(''spanish'', left(translate(concat_ws('' '', %s), ''_'', '' ''), '
                                  '20000)), %L)', string_agg(format('%s.%I', alias, name), ', ' ORDER BY alias, name),
                                  label) AS words
             FROM has WHERE label IN ('A', 'B', 'C', 'D') GROUP BY label)
    SELECT (SELECT array_agg(DISTINCT relation || '.' || name) FROM has) AS reads,
           (SELECT string_agg(quote_ident(name), ', ') FROM own) AS own_columns,
           (SELECT format('(%s) IS DISTINCT FROM (%s)',
                          string_agg(format('OLD.%I%s', name, cast_of), ', ' ORDER BY name),
                          string_agg(format('NEW.%I%s', name, cast_of), ', ' ORDER BY name)) FROM own) AS is_changed,
           (SELECT format('(%s) IS NOT DISTINCT FROM (%s)',
                          string_agg(format('OLD.%I%s', name, cast_of), ', ' ORDER BY name),
                          string_agg(format('NEW.%I%s', name, cast_of), ', ' ORDER BY name))
            FROM own WHERE name NOT IN ('name', 'model', 'sku', 'barcode')) AS is_only_name,
           (SELECT words FROM labelled WHERE label = 'A') AS name_words,
           (SELECT string_agg(' || ' || words, '' ORDER BY label) FROM labelled WHERE label <> 'A') AS other_words,
           (SELECT format(' || array_to_tsvector(array_remove(ARRAY[%s], NULL))', string_agg(format(
                       '''#'' || nullif(upper(left(regexp_replace(p.%I::text, ''[^A-Za-z0-9]'', '''', ''g''), 200)), '''')',
                       name), ', ')) FROM has WHERE label = '#' HAVING count(*) > 0) AS codes,
           (SELECT string_agg(format(' LEFT JOIN %s.%I %s ON %s.id = p.%I', place, k.relation, k.alias, k.alias, k.key), '')
            FROM keys k WHERE EXISTS (SELECT FROM has WHERE has.relation = k.relation)) AS joins
        INTO made;

    EXECUTE format($make$
        -- Once a transaction: the answer costs as much as the words of a product.
        CREATE OR REPLACE FUNCTION decant_keeps_words() RETURNS bool
        LANGUAGE plpgsql
        SET search_path = pg_catalog, pg_temp
        AS $body$
        DECLARE
            now_checked constant text := pg_current_xact_id()::text;
        BEGIN
            IF current_setting('decant.keeps_words', true) = now_checked THEN RETURN true; END IF;
            IF to_regclass('decant.product_words') IS NULL
               OR (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                   WHERE c.oid IN (to_regclass('%1$s.products'), to_regclass('%1$s.brands'),
                                   to_regclass('%1$s.categories'), to_regclass('%1$s.subcategories'))
                     AND c.relname || '.' || a.attname = ANY (%2$L) AND NOT a.attisdropped) < %3$s THEN
                RETURN false;
            END IF;
            PERFORM set_config('decant.keeps_words', now_checked, true);
            RETURN true;
        END
        $body$;

        -- An array looks to the planner as if it were worth a new plan every time, which takes longer than the words.
        CREATE OR REPLACE FUNCTION decant_refresh_product_words(ids uuid[], only_new bool DEFAULT false) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
        AS $body$
        BEGIN
            IF NOT %1$s.decant_keeps_words() THEN RETURN; END IF;
            INSERT INTO decant.product_words AS w (product_id, words)
                SELECT p.id, %4$s%5$s%6$s FROM %1$s.products p%8$s WHERE p.id = ANY (ids) ORDER BY p.id
                ON CONFLICT (product_id) DO UPDATE SET words = excluded.words
                WHERE NOT only_new AND w.words IS DISTINCT FROM excluded.words;
        END
        $body$;

        CREATE OR REPLACE FUNCTION decant_words_of_changed() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS $body$
        BEGIN
            IF current_setting('decant.keeps_words', true) IS DISTINCT FROM pg_current_xact_id()::text
               AND NOT %1$s.decant_keeps_words() THEN
                RETURN NULL;
            END IF;
            -- The words of long texts are what takes time.
            IF %7$s THEN
                UPDATE decant.product_words w SET words = %4$s || ts_filter(w.words, '{b,c,d}')%6$s
                    FROM (SELECT NEW.*) p WHERE w.product_id = p.id;
                IF FOUND THEN RETURN NULL; END IF;
            END IF;
            INSERT INTO decant.product_words AS w (product_id, words)
                SELECT p.id, %4$s%5$s%6$s FROM (SELECT NEW.*) p%8$s
                ON CONFLICT (product_id) DO UPDATE SET words = excluded.words
                WHERE w.words IS DISTINCT FROM excluded.words;
            RETURN NULL;
        END
        $body$;

        CREATE OR REPLACE FUNCTION decant_words_of_new() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER
        AS $body$
        BEGIN
            PERFORM %1$s.decant_refresh_product_words(pg_catalog.array_agg(id)) FROM new_products;
            RETURN NULL;
        END
        $body$;

        -- The products of a renamed category, subcategory or brand; TG_ARGV[0] is the column that names it.
        CREATE OR REPLACE FUNCTION decant_words_of_renamed() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp
        AS $body$
        DECLARE
            ids uuid[];
        BEGIN
            IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('%1$s.products')
                       AND attname = TG_ARGV[0] AND NOT attisdropped) THEN
                -- Who changes one of them meanwhile waits, and then reads the new name.
                EXECUTE format('SELECT array_agg(id) FROM (SELECT id FROM %1$s.products WHERE %%I = $1 ORDER BY id '
                               'FOR SHARE) p', TG_ARGV[0]) INTO ids USING NEW.id;
                PERFORM %1$s.decant_refresh_product_words(ids);
            END IF;
            RETURN NULL;
        END
        $body$;
        $make$, place, made.reads, cardinality(made.reads), made.name_words, made.other_words, made.codes,
        made.is_only_name, made.joins);

    -- The list of columns keeps an UPDATE of price or stock from even asking.
    EXECUTE format('CREATE OR REPLACE TRIGGER decant_words_changed AFTER UPDATE OF %s ON products FOR EACH ROW '
                   'WHEN (%s) EXECUTE FUNCTION decant_words_of_changed()', made.own_columns, made.is_changed);
END
$functions$;

CREATE OR REPLACE TRIGGER decant_words_new
AFTER INSERT ON products REFERENCING NEW TABLE AS new_products FOR EACH STATEMENT
EXECUTE FUNCTION decant_words_of_new();

CREATE OR REPLACE FUNCTION decant_words_of_removed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
    IF pg_catalog.to_regclass('decant.product_words') IS NULL THEN RETURN NULL; END IF;
    IF TG_OP OPERATOR(pg_catalog.=) 'TRUNCATE' THEN
        TRUNCATE decant.product_words;
    ELSE
        DELETE FROM decant.product_words w USING removed_products r WHERE w.product_id OPERATOR(pg_catalog.=) r.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER decant_words_removed
AFTER DELETE ON products REFERENCING OLD TABLE AS removed_products FOR EACH STATEMENT
EXECUTE FUNCTION decant_words_of_removed();

CREATE OR REPLACE TRIGGER decant_words_truncated
AFTER TRUNCATE ON products FOR EACH STATEMENT
EXECUTE FUNCTION decant_words_of_removed();

DO $renamed$
DECLARE
    named record;
BEGIN
    FOR named IN SELECT n.*, string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', a.attname), ' OR ') AS is_renamed
                 FROM (VALUES ('categories', 'category_id'), ('subcategories', 'subcategory_id'), ('brands', 'brand_id'))
                      AS n (relation, key)
                 JOIN pg_attribute a ON a.attrelid = to_regclass(n.relation) AND a.attname IN ('name', 'display_name')
                                    AND NOT a.attisdropped
                 GROUP BY n.relation, n.key
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER decant_words_renamed AFTER UPDATE ON %I FOR EACH ROW WHEN (%s) '
                       'EXECUTE FUNCTION decant_words_of_renamed(%L)', named.relation, named.is_renamed, named.key);
    END LOOP;
END
$renamed$;
