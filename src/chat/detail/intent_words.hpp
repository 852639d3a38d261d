#pragma once

#include <string_view>

/// What messages are read by: folded phrases with ", " between them.
namespace decant::chat::detail {

inline constexpr std::string_view greetings =
    "hola, holis, buenas, buen dia, buenos dias, buenas tardes, buenas noches, hello, hi, hey, good morning, "
    "good afternoon, good evening, greetings, que tal, como estas, como andas, como va, how are you, todo bien, "
    "how is it going, what s up, saludos";
inline constexpr std::string_view thanks =
    "gracias, muchas gracias, mil gracias, muchisimas gracias, te agradezco, thanks, thank you, thx, cheers, "
    "thanks a lot, many thanks, much appreciated";
inline constexpr std::string_view goodbyes =
    "chau, chao, adios, hasta luego, hasta pronto, hasta manana, nos vemos, bye, bye bye, goodbye, good bye, see you, "
    "see you later, see ya, farewell, good night, take care, que tengas buen dia, have a nice day, have a good day";
inline constexpr std::string_view small_talk =
    "y, and, por, favor, todo, all, for, eso, es, that s, that, ok, okay, dale, perfecto, genial, great, perfect, "
    "listo, "
    "muy, bien, there, everyone, a todos, todos, so, much, very, is, it, nothing, else, nada, mas, si, yes, no, la, "
    "the, your, tu, su, ayuda, help, amable, kind, good, bueno, buena, excelente, excellent, nice, lot, a, again, vos, "
    "you, usted, ustedes, igualmente, fine, then, entonces, now, jaja, haha, solo, only, just, please, amigo, friend";

inline constexpr std::string_view help_phrases =
    "ayuda, ayudame, help, help me, que podes hacer, que puedes hacer, que sabes hacer, what can you do, "
    "how does this work, como funciona, como funcionas, quien sos, quien eres, who are you, what are you, "
    "como te llamas, what is your name, sos un bot, are you a bot, que puedo preguntar, what can i ask";
inline constexpr std::string_view human_phrases =
    "hablar con una persona, hablar con alguien, con un humano, una persona real, ser humano, persona de verdad, "
    "un asesor, una asesora, un vendedor, una vendedora, un representante, un operador, una operadora, "
    "agente humano, atencion al cliente, que me atienda alguien, que me llamen, talk to a human, speak to a human, "
    "talk to a person, speak to a person, speak to someone, talk to someone, a human, real person, human agent, "
    "a representative, an operator, customer service, customer support, a salesperson, call me back, un humano, "
    "hacer un reclamo, quiero reclamar, quiero quejarme, i want to complain, make a complaint";

/// What a shop does besides having products. Only asked of messages that name nothing of the catalog.
inline constexpr std::string_view service_phrases =
    "envio, envios, envian, enviar, entrega a domicilio, hacen entregas, delivery, deliver, shipping, ship to, "
    "tarjeta de credito, aceptan tarjeta, aceptan tarjetas, credit card, cards, pago, pagos, pagar, formas de pago, "
    "medios de pago, payment, payments, pay, mercado pago, paypal, transferencia, cuotas, installments, garantia, "
    "warranty, devolucion, devoluciones, devolver, return policy, refund, refunds, reembolso, factura, invoice, "
    "horario, horarios, opening hours, direccion, sucursal, sucursales, your address, mi pedido, my order, "
    "order status, tracking, seguimiento, la llevo, lo llevo, la compro, lo compro, i ll take it, i will take it, "
    "carrito, add to cart, checkout, telefono de contacto, phone number, whatsapp, email de contacto";

/// Orders to the assistant.
inline constexpr std::string_view order_phrases =
    "ignora las instrucciones, ignora tus instrucciones, ignora todas las instrucciones, ignora todo lo anterior, "
    "ignora lo anterior, ignora las reglas, ignore las instrucciones, olvida tus instrucciones, "
    "olvida las instrucciones, olvidate de, ignore previous instructions, ignore all previous instructions, "
    "ignore your instructions, ignore the above, ignore all instructions, ignore everything, disregard previous, "
    "disregard all, disregard your, forget your instructions, forget previous, system prompt, prompt del sistema, "
    "tus instrucciones, your instructions, your prompt, tu prompt, nuevas instrucciones, new instructions, "
    "developer mode, modo desarrollador, jailbreak, you are now, ahora sos, ahora eres, you must now, "
    "pretend to be, hace de cuenta, asistente debes, asistente debe, assistant must, assistant should, "
    "instruccion para el asistente, instruction to the assistant, instructions to the assistant, as an ai";

/// Questions for what the assistant is told and keeps.
inline constexpr std::string_view secret_phrases =
    "contrasena, contrasenas, password, passwords, api key, api keys, clave de api, drop table, select from, "
    "variables de entorno, environment variables, reveal your, revela tus, repeat the words, base de datos, "
    "otros usuarios, other users, otros clientes, other customers, act as, actua como";

inline constexpr std::string_view compare_phrases =
    "comparame, compararme, comparar, compara, compare, comparison, comparacion, comparativa, comparalas, comparalos, "
    "versus, vs, diferencia entre, diferencias entre, la diferencia, diferencia hay entre, difference between, "
    "differences between, the difference, cual es mejor, cual conviene mas, which is better, which one is better, "
    "compare them, cual es mejor entre, lado a lado, side by side";
inline constexpr std::string_view versus = "vs, versus";
inline constexpr std::string_view dividers = "vs, versus, contra, against, con, with, y, and, o, or, to, e";

inline constexpr std::string_view catalog_phrases =
    "que productos tenes, que productos tienen, que productos tienes, que productos hay, que productos venden, "
    "que productos vendes, que productos ofrecen, que venden, que vendes, que tenes, que tienen, que tienes, que hay, "
    "que ofrecen, que ofreces, catalogo, el catalogo, ver catalogo, catalogue, catalog, the catalog, your catalog, "
    "productos, todos los productos, los productos, tus productos, sus productos, categorias, que categorias, "
    "categories, your categories, rubros, what products do you have, what products, what do you sell, "
    "what do you have, what have you got, what do you offer, what can i buy, your products, all products, "
    "all your products, products, everything you have, que se puede comprar, que puedo comprar, la tienda, the store, "
    "what is there, what s there";
inline constexpr std::string_view more_phrases =
    "mas, mas opciones, mas productos, mas resultados, otras, otros, otras opciones, otros modelos, otras "
    "alternativas, "
    "hay mas, hay otras, hay otros, siguientes, siguiente, los siguientes, las siguientes, mas modelos, algo mas, "
    "mostrame mas, muestrame mas, more, show more, show me more, more options, more products, more results, others, "
    "other options, other ones, next, next ones, next page, any more, anything else, something else, what else, "
    "que mas, cual otro, cual otra, otra opcion, otro, otra";

inline constexpr std::string_view cheapest_phrases =
    "la mas barata, el mas barato, lo mas barato, las mas baratas, los mas baratos, la mas economica, "
    "el mas economico, lo mas economico, cheapest, the cheapest, least expensive, the least expensive, menor precio, "
    "la menos cara, el menos caro, lowest price, the lowest price";
inline constexpr std::string_view dearest_phrases =
    "la mas cara, el mas caro, lo mas caro, most expensive, the most expensive, mayor precio, priciest, highest price";
inline constexpr std::string_view pronouns =
    "esa, ese, eso, esta, este, esto, esas, esos, estas, estos, la misma, el mismo, it, this, that, this one, "
    "that one, these, those, them, ella, aquella, aquel, las, los";
inline constexpr std::string_view pronouns_of_one =
    "esa, ese, eso, esta, este, esto, la misma, el mismo, it, this, that, this one, that one, ella, aquella, aquel";
inline constexpr std::string_view detail_phrases =
    "contame, cuentame, contame mas, cuentame mas, mas detalles, detalles, detalle, mas informacion, informacion, "
    "mas info, info, caracteristicas, especificaciones, specs, ficha tecnica, ficha, hablame, describime, describeme, "
    "descripcion, tell me, tell me more, tell me about, more about, more details, details, detail, more information, "
    "information, more info, specifications, specification, features, describe, description, data sheet, datasheet, "
    "que trae, como es, what about it, datos";
inline constexpr std::string_view stock_phrases =
    "stock, hay stock, tenes stock, tienen stock, tienes stock, queda stock, hay en stock, en stock, in stock, "
    "cuantas quedan, cuantos quedan, cuantas hay, cuantos hay, cuantas unidades, unidades, quedan, queda, "
    "hay disponibilidad, disponibilidad, disponible, disponibles, available, availability, how many, how many left, "
    "left, units, cuantas tenes, cuantos tenes, cuantas tienen, cuantos tienen, have in stock, do you have stock";

/// Said of a new request, not of what was shown.
inline constexpr std::string_view any_product =
    "productos, producto, products, product, articulos, articles, items, algo, something, anything, cosas, things";

/// "y de Lenovo?", "what about 32 GB?"
inline constexpr std::string_view continuing =
    "y, and, what about, how about, pero, but, mejor, que tal, tambien, also, en cambio, instead";

inline constexpr std::string_view search_phrases =
    "quiero, quisiera, queria, busco, buscaba, buscando, estoy buscando, ando buscando, necesito, necesitaria, "
    "necesitamos, buscamos, queremos, me recomendas, me recomiendas, recomendame, recomiendame, recomendas, "
    "recomiendas, recomendacion, mostrame, muestrame, mostrar, muestra, mostra, dame, tenes, tienen, tienes, tendran, "
    "tendras, hay, habra, venden, vendes, comprar, comprarme, me gustaria, me interesa, me interesan, conseguir, "
    "buscar, busca, ver, quiero ver, show me, show, i want, i want to, i need, we need, looking for, "
    "i am looking for, i m looking for, im looking for, find me, find, do you have, have you got, recommend, "
    "recommend me, suggest, buy, i d like, i would like, shopping for, are there, is there, you have, you got, "
    "precio, precios, price, prices, cuanto sale, cuanto salen, cuanto cuesta, cuanto cuestan, cuanto vale, "
    "cuanto valen, how much is, how much are, how much, how much does, cost, costs, sirve, regalar, regalo, gift";
inline constexpr std::string_view fillers =
    "a, al, algo, alguna, algunas, algun, alguno, algunos, an, and, any, are, at, be, but, by, can, con, could, cual, "
    "cuales, de, del, do, does, e, el, en, entre, es, esta, este, for, from, fue, give, gracias, hay, have, hola, how, "
    "i, in, "
    "is, it, its, la, las, le, lo, los, m, me, mi, more, mas, muy, my, no, o, of, on, one, ones, or, otra, otro, para, "
    "pero, please, por, por favor, favor, que, s, se, sea, sean, ser, si, sin, so, sobre, some, son, su, t, tambien, "
    "te, tell, than, thanks, that, the, them, there, thing, this, to, tu, u, un, una, unas, uno, unos, us, vos, want, "
    "was, we, what, what about, how about, which, will, with, would, y, ya, yo, you, your, cosa, cosas, producto, "
    "productos, product, products, modelo, modelos, model, models, marca, brand, marcas, brands, something, anything, "
    "otras, otros, other, another, todo, todos, todas, all, podria, podrias, puedes, podes, usted, ustedes, ahi, "
    "aqui, aca, alla, here, menos, less, hasta, up, about, instead, cambio, mejor, tal, only, solo, just, tengan, "
    "tenga, sale, salen, cuesta, cuestan, dame, get, find, show, look, want, need, did, has, as, if, bueno, buena";

/// Questions about the world. Only asked of messages that name nothing of the catalog.
inline constexpr std::string_view foreign_phrases =
    "quien, quienes, who, whose, cuando, when, por que, porque, why, donde, where, capital, weather, clima, "
    "temperatura, temperature, llueve, rain, chiste, joke, poema, poem, cancion, song, presidente, president, mundial, "
    "world cup, futbol, football, soccer, partido, match, politica, politics, receta, recipe, cocinar, traduci, "
    "traduce, translate, escribi, escribime, escribe, write, historia, history, horoscopo, horoscope, noticias, news, "
    "religion, dios, god, amor, love, sentido de la vida, meaning of life, codigo, code, python, javascript, "
    "cuanto es, calcula, calculate, que hora, what time, que dia, what day, loteria, lottery, bitcoin, dolar, "
    "medico, doctor, remedio, pelicula, movie, serie, matematica, math, ensayo, essay, guerra, war";

}  // namespace decant::chat::detail
