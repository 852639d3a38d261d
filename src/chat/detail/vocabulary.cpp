#include "chat/detail/vocabulary.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "search/number_words.hpp"

namespace decant::chat::detail {
namespace {

using WordSet = std::unordered_set<std::string_view>;

/// Of words with blanks between.
WordSet words_of_list(std::string_view list) {
    WordSet set;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(' '), list.size());
        if (end > 0) set.insert(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return set;
}

constexpr std::string_view spanish =
    "a al algo algun alguna algunas alguno algunos alla alli aca aqui ahi ahora ademas adicional adicionales "
    "ahorra ahorro ajusta ajustan alta alto altas altos alternativa alternativas ambas ambos amplia amplio antes "
    "apta apto articulo articulos asi atencion aun aunque aviso aviseme avisame ayuda ayudar ayudarte barata "
    "baratas barato baratos basica basico bien bienvenido bienvenida buen buena buenas bueno buenos busca buscar "
    "buscas buscando cada calidad caracteristica caracteristicas caro cara cargo casa casi categoria categorias "
    "catalogo cerca claro codigo comercial como comparacion comparar comparte completa completo compra comprar "
    "con conclusion consejo consulta consultar consultas contamos contra conviene correcto cosa costo cual cuales "
    "cualquier cualquiera cuando cuanta cuanto cuenta cuentan cuesta cuestan cuotas da dato datos de debajo "
    "decime del demas dentro desde descripcion descuento descuentos despues destacada destacado destacados "
    "detalle detalles dia dias dice disculpa disculpas disponibilidad disponible disponibles donde dos duda dudas "
    "durante e economica economicas economico economicos el ella ellas ellos en encaja encontramos encontre "
    "encontrar encuentra entra entre entrega envio envios equilibrada equilibrado eres es esa esas ese eso esos "
    "especial especificaciones esta estaba estan estar estas este esto estos exactamente excelente excelentes "
    "existencia existencias extra ficha final fuera funcion gama garantia gracias gran grande gratis gusta "
    "gustaria ha haber hacer hacia hago hasta hay hecho hola hoy ideal ideales igual importante incluye incluyen "
    "informacion interesa interesan inventario ir la las le les lista listado listo llevar lo los luego mano "
    "marca marcas mas mayor me media medio mejor mejores menor menos mensaje mi mientras mil minimo maximo misma "
    "mismo modelo modelos momento mucha muchas mucho muchos muy nada necesita necesitas necesidad necesidades ni "
    "ninguna ninguno no nombre nombres nos nosotros nota nuestra nuestras nuestro nuestros nueva nuevo numero o "
    "oferta ofertas ofrecemos ofrecer opcion opcional opciones orden os otra otras otro otros para parece "
    "parecida parecido pedido pedir perdon perfecta perfecto pero personas podemos podes podria podrias poder por "
    "porque precio precios preferis prefieres pregunta preguntas presupuesto primera primero principal pro probar "
    "producto productos profesional promocion promociones pues puede pueden puedes puedo que queda quedan quedate "
    "queres quien quiere quieres quiza quizas rango rapida rapido recomendacion recomendaciones recomendada "
    "recomendado recomendados recomiendo relacion relevancia resultado resultados resumen robusta robusto saber "
    "saludos se segun segunda segundo seguro seleccion ser sera si siempre siguiente siguientes similar similares "
    "sin sirve sobre solamente solo somos son su subcategoria superior sus tal tambien tanto te tenemos tenes "
    "tener tengo tercera tercero ti tiene tienen tienes tienda tipo toda todas todavia todo todos total trabajo "
    "tres tu tus u ultima ultimas ultimo ultimos un una unas unica unico unidad unidades uno unos usa usar uso "
    "usted usos util va vale valor varias varios veces venta ventaja ventajas ver versatil vez vi y ya yo";

constexpr std::string_view english =
    "a about above actual additional affordable after again all alternative alternatives also although always am "
    "amazing among an and another any anything are around as ask assistant at availability available back based "
    "basic be because been before below best better between both brand brands budget but buy buying by can cannot "
    "catalog catalogue categories category cheap cheaper cheapest check choice choices choose code compare "
    "comparison complete conclusion consider considering cost costs could currently customer day days deal deals "
    "description details did different discount discounts do does down each either else enough entry even every "
    "everyday everything excellent exactly expensive explore extra fair fast feature featured features few final "
    "find first fits for found free friendly from full further get give go good got great had happy hardware has "
    "have hello help here hi high higher highlights home how however i id ideal if important in included includes "
    "information interested into inventory is it item items its just keep key kind know known last later least "
    "left less let level like limit list listed listing little ll long look looking low lower lowest main make "
    "many match matches matching maybe me message might model models more most much must my name names need "
    "needed needs new next nice no none not note now of off offer offers ok okay on once one only option options "
    "or order other others our out over overall own perfect personal pick picks please plus popular powerful "
    "premium price priced prices pro product products professional purchase quality question questions quick "
    "range rather re recommend recommendation recommendations recommended regarding related relevance reliable "
    "remaining result results right sale save search second see select selection sell several shipping shop "
    "should similar simple since so solid some something sorry specification specifications specific specs stock "
    "store stores strong suggest suggestion suggestions suit suitable summary super sure t tell than thank thanks "
    "that the their them then there these they thing third this those though through to today together too tool "
    "top total try two type under unfortunately unit units until up us use used useful value versatile very want "
    "was way we well were what when where whether which while who why will wish with within without work would "
    "year years yes yet you your yours ve monday tuesday wednesday thursday friday saturday sunday january "
    "february march april may june july august september october november december english spanish";

/// Of technology: what products have, not what they are called.
constexpr std::string_view technology =
    "usb hdmi vga dvi ssd hdd ram rom cpu gpu led lcd oled ips qled rgb hd uhd fhd qhd wifi wi fi bluetooth "
    "ethernet lan android ios windows linux mac macos pc nvme sata pcie vesa psu sku dpi ac dc usd ars eur "
    "visa mastercard paypal mercado pago whatsapp tipo type gaming gamer hogar oficina office multi pro wireless "
    "inalambrico argentina "
    "buenos aires faq ean upc iva vat amoled nfc gps lte sim sd microsd tft pwm ddr dac dvd cd tv smart";

const WordSet& common_words() {
    static const WordSet set = [] {
        WordSet all = words_of_list(spanish);
        all.merge(words_of_list(english));
        all.merge(words_of_list(technology));
        return all;
    }();
    return set;
}

constexpr std::string_view units =
    "g w v h l m gb tb mb kb gigas megas teras giga tera gigabytes gib tib hz mhz ghz khz hertz watts watt vatios va "
    "kva kw "
    "kwh mah wh ah volts voltios volt amperes amp amps mm cm km metros metro meters meter mts ft feet kg kilos "
    "kilo lb lbs pounds libras oz onzas gr gramos grams lt lts litros litro liters ml rpm dpi cpi mp mpx "
    "megapixeles megapixels fps ms ns nm pulgadas pulgada pulg inch inches nucleos nucleo cores core hilos "
    "threads botones buttons teclas keys puertos puerto ports port canales channels pines pin pins personas "
    "people usuarios users dispositivos devices equipos pcs anos ano years year yr meses mes months month dias "
    "dia days day semanas semana weeks week horas hora hours hour hr hs hrs minutos minuto minutes minute mins "
    "min segundos segundo seconds second seg sec jugadores players bits bit lumens lumenes nits btu frigorias "
    "tazas cups platos cubiertos programas velocidades speeds modulos ventiladores fans ohm ohms db decibeles "
    "grados degrees cuotas pagos installments mbps gbps kbps mbit colores colors leds paginas pages hojas sheets "
    "fotos photos canciones songs bandas estrellas stars opiniones reviews resenas plazas puertas ranuras slots "
    "bahias bays zonas niveles levels modos modes palos tflops pixeles pixels bar psi joules nit clientes "
    "customers caracteres characters gbits opcion options opciones veces times mts2 m2 m3 cm3 cc hp cv kgf bpm lm "
    "lux ppm ipm ip px lines lineas pasos steps personalidades puntos points generacion generation gen";

constexpr std::string_view currency_words =
    "usd ars eur mxn clp cop uyu pen brl gbp dolares dolar dollars dollar bucks euros euro pesos peso mangos lucas "
    "luca "
    "soles reales pounds";

constexpr std::string_view after_stock =
    "unidad unidades uds ud unid unids unit units pieza piezas piece pieces disponible disponibles available left "
    "remaining restantes ejemplares";
constexpr std::string_view before_stock =
    "stock existencias existencia inventario inventory disponibilidad availability queda quedan quedaban restan "
    "disponibles unidades units cantidad quantity";
constexpr std::string_view before_price =
    "precio precios price prices priced cuesta cuestan costs cost costo valor vale valen sale salen sells sold "
    "retails pagas pay";
constexpr std::string_view discount_words =
    "descuento descuentos off discount rebaja rebajado rebajada oferta dto ahorro ahorra ahorras save savings cheaper "
    "less";
constexpr std::string_view fillers =
    "es is are son de of a at en solo solamente only just unos about around alrededor actual current "
    "currently final total for por las los the ultimas ultimos last hay aun still was era se mas apenas "
    "aproximadamente approximately";
constexpr std::string_view product_nouns =
    "producto productos product products opcion opciones option options modelo modelos model models articulo articulos "
    "item items alternativa alternativas alternatives resultado resultados results marcas brands";

bool has(const WordSet& set, std::string_view word) {
    return set.contains(word);
}

}  // namespace

bool is_common(std::string_view folded) {
    return has(common_words(), folded);
}

bool is_unit(std::string_view folded) {
    static const WordSet set = words_of_list(units);
    return has(set, folded);
}

bool is_currency(std::string_view folded) {
    static const WordSet set = words_of_list(currency_words);
    return has(set, folded);
}

bool follows_stock(std::string_view folded) {
    static const WordSet set = words_of_list(after_stock);
    return has(set, folded);
}

bool announces_stock(std::string_view folded) {
    static const WordSet set = words_of_list(before_stock);
    return has(set, folded);
}

bool announces_price(std::string_view folded) {
    static const WordSet set = words_of_list(before_price);
    return has(set, folded);
}

bool is_discount(std::string_view folded) {
    static const WordSet set = words_of_list(discount_words);
    return has(set, folded);
}

bool is_filler(std::string_view folded) {
    static const WordSet set = words_of_list(fillers);
    return has(set, folded);
}

bool counts_products(std::string_view folded) {
    static const WordSet set = words_of_list(product_nouns);
    return has(set, folded);
}

std::optional<double> number_word(std::string_view folded) {
    static const std::unordered_map<std::string_view, double> articles_and_multipliers{{"un", 1},
                                                                                       {"una", 1},
                                                                                       {"uno", 1},
                                                                                       {"hundred", 100},
                                                                                       {"mil", 1'000},
                                                                                       {"thousand", 1'000},
                                                                                       {"millon", 1'000'000},
                                                                                       {"millones", 1'000'000},
                                                                                       {"million", 1'000'000}};
    const auto found = articles_and_multipliers.find(folded);
    return found == articles_and_multipliers.end() ? search::number_word(folded) : std::optional{found->second};
}

}  // namespace decant::chat::detail
