// Prices in questions, and numbers that are none.

#include "tests/support/understood_line.hpp"

namespace decant::search {
namespace {

using test::expect_told;

TEST(Prices, TakesUpperBounds) {
    expect_told({
        {"notebook hasta 1500", "notebook; category Notebooks; to 1500"},
        {"notebook hasta los 1500", "notebook; category Notebooks; to 1500"},
        {"monitor menos de 100", "monitor; category Monitores; to 100"},
        {"monitor por menos de 100", "monitor; category Monitores; to 100"},
        {"monitor por debajo de 300", "monitor; category Monitores; to 300"},
        {"monitor máximo 200", "monitor; category Monitores; to 200"},
        {"teclado max 200", "teclado; category Teclados; to 200"},
        {"teclado 200 max", "teclado; category Teclados; to 200"},
        {"monitor under 300", "monitor; category Monitores; to 300"},
        {"monitor below 300", "monitor; category Monitores; to 300"},
        {"monitor up to 300", "monitor; category Monitores; to 300"},
        {"laptop for less than 900", "laptop; category Notebooks; to 900"},
        {"laptop cheaper than 900", "laptop; category Notebooks; to 900"},
        {"monitor < 300", "monitor; category Monitores; to 300"},
        {"monitor <= $300", "monitor; category Monitores; to 300"},
        {"monitor ≤ 300", "monitor; category Monitores; to 300"},
        {"monitor 300 o menos", "monitor; category Monitores; to 300"},
        {"monitor 300 or less", "monitor; category Monitores; to 300"},
        {"monitor que cueste menos de 300 con hdmi", "monitor con hdmi; category Monitores; to 300"},
        {"monitor que no supere los 300 dólares", "monitor; category Monitores; to 300"},
        {"no quiero gastar más de 300 en un monitor", "monitor; category Monitores; to 300"},
        {"i don't want to spend more than 400 on keyboards", "on keyboards; category Teclados; to 400"},
        {"presupuesto 800 notebook", "notebook; category Notebooks; to 800"},
        {"mi presupuesto es de 800 dólares para una notebook", "notebook; category Notebooks; to 800"},
        {"tengo 500 dólares y quiero un celular", "celular; category Celulares; to 500"},
        {"budget 500 laptop", "laptop; category Notebooks; to 500"},
        {"no more than 300 monitor", "monitor; category Monitores; to 300"},
        {"sin pasar de 500 notebook", "notebook; category Notebooks; to 500"},
    });
}

TEST(Prices, TakesLowerBounds) {
    expect_told({
        {"camara web de más de 100", "camara web; category Cámaras web; from 100"},
        {"monitor desde 200", "monitor; category Monitores; from 200"},
        {"monitor a partir de 200", "monitor; category Monitores; from 200"},
        {"monitor over 200", "monitor; category Monitores; from 200"},
        {"monitor above 200", "monitor; category Monitores; from 200"},
        {"monitor at least 200", "monitor; category Monitores; from 200"},
        {"monitor more than 200", "monitor; category Monitores; from 200"},
        {"monitor > 200", "monitor; category Monitores; from 200"},
        {"monitor 200 o más", "monitor; category Monitores; from 200"},
        {"monitor 200 and up", "monitor; category Monitores; from 200"},
        {"monitor no menos de 200", "monitor; category Monitores; from 200"},
        {"no less than 200 monitor", "monitor; category Monitores; from 200"},
    });
}

TEST(Prices, TakesRangesWhicheverEndComesFirst) {
    expect_told({
        {"monitor entre 200 y 300", "monitor; category Monitores; from 200; to 300"},
        {"monitor entre 300 y 200", "monitor; category Monitores; from 200; to 300"},
        {"monitor between 200 and 300", "monitor; category Monitores; from 200; to 300"},
        {"monitor de 200 a 300", "monitor; category Monitores; from 200; to 300"},
        {"monitor from 200 to 300", "monitor; category Monitores; from 200; to 300"},
        {"monitor desde 200 hasta 300", "monitor; category Monitores; from 200; to 300"},
        {"monitor 200-300 dolares", "monitor; category Monitores; from 200; to 300"},
        {"monitor $200 - $300", "monitor; category Monitores; from 200; to 300"},
        {"monitor 200 a 300 dólares", "monitor; category Monitores; from 200; to 300"},
        {"celular samsung de 300 a 500 usd", "celular samsung; category Celulares; brand Samsung; from 300; to 500"},
        {"monitor más de 200 y menos de 300", "monitor; category Monitores; from 200; to 300"},
        {"mouse entre 20 y 40", "mouse; category Mouses; from 20; to 40"},
        {"monitor menos de 100 más de 300", "monitor más de 300; category Monitores; to 100"},
    });
}

TEST(Prices, TakesAnAmountWithoutABoundForAFifthMoreOrLess) {
    expect_told({
        {"notebook alrededor de 500", "notebook; category Notebooks; from 400; to 600"},
        {"laptop around $700", "laptop; category Notebooks; from 560; to 840"},
        {"laptop about 1k", "laptop; category Notebooks; from 800; to 1200"},
        {"monitor 300 aprox", "monitor; category Monitores; from 240; to 360"},
        {"monitor $300", "monitor; category Monitores; from 240; to 360"},
        {"monitor usd 300", "monitor; category Monitores; from 240; to 360"},
        {"monitor de 300 dólares", "monitor; category Monitores; from 240; to 360"},
        {"monitor 300€", "monitor; category Monitores; from 240; to 360"},
        {"teclado US$ 50", "teclado; category Teclados; from 40; to 60"},
        {"teclado u$s 50", "teclado; category Teclados; from 40; to 60"},
    });
}

TEST(Prices, ReadsAmountsAsTheyAreWrittenInManyCountries) {
    expect_told({
        {"notebook hasta 1.500", "notebook; category Notebooks; to 1500"},
        {"notebook hasta 1,500", "notebook; category Notebooks; to 1500"},
        {"notebook hasta 1500.50", "notebook; category Notebooks; to 1500.5"},
        {"notebook hasta 1.500,50", "notebook; category Notebooks; to 1500.5"},
        {"notebook under $1,500.50", "notebook; category Notebooks; to 1500.5"},
        {"laptop under 1k", "laptop; category Notebooks; to 1000"},
        {"laptop under 1.5k", "laptop; category Notebooks; to 1500"},
        {"notebook hasta 2 mil", "notebook; category Notebooks; to 2000"},
        {"notebook hasta mil dólares", "notebook; category Notebooks; to 1000"},
        {"notebook hasta dos mil quinientos", "notebook; category Notebooks; to 2500"},
        {"notebook hasta quinientos dólares", "notebook; category Notebooks; to 500"},
        {"notebook hasta doce mil dólares", "notebook; category Notebooks; to 12000"},
        {"laptop under five hundred dollars", "laptop; category Notebooks; to 500"},
        {"laptop under a thousand", "laptop; category Notebooks; to 1000"},
        {"celular hasta 300 lucas", "celular; category Celulares; to 300000"},
        {"notebook hasta 500usd", "notebook; category Notebooks; to 500"},
        {"notebook hasta usd500", "notebook; category Notebooks; to 500"},
        {"notebook hasta 500 € 16gb", "notebook 16gb; category Notebooks; to 500"},
        {"monitor hasta 500$ 27 pulgadas", "monitor 27 pulgadas; category Monitores; to 500"},
    });
}

TEST(Prices, LeavesNumbersThatCountSomethingElse) {
    expect_told({
        {"monitor 27 pulgadas", "monitor 27 pulgadas; category Monitores"},
        {"monitor de 24 a 27 pulgadas", "monitor de 24 a 27 pulgadas; category Monitores"},
        {"monitor de 24 a 27", "monitor de 24 a 27; category Monitores"},
        {"monitor hasta 27\"", "monitor hasta 27\"; category Monitores"},
        {"monitor under 27 in", "monitor under 27 in; category Monitores"},
        {"monitor 144hz", "monitor 144hz; category Monitores"},
        {"monitor de más de 144 hz", "monitor de más de 144 hz; category Monitores"},
        {"monitor hasta 4k", "monitor hasta 4k; category Monitores"},
        {"monitor 1080p", "monitor 1080p; category Monitores"},
        {"memoria ram 16gb", "memoria ram 16gb; category Memorias RAM"},
        {"memoria ram hasta 32gb", "memoria ram hasta 32gb; category Memorias RAM"},
        {"memoria ram hasta 32 gb", "memoria ram hasta 32 gb; category Memorias RAM"},
        {"memoria ram entre 16 y 32 gb", "memoria ram entre 16 y 32 gb; category Memorias RAM"},
        {"disco ssd hasta 512", "disco ssd hasta 512; subcategory Discos SSD"},
        {"fuente 750w", "fuente 750w; category Fuentes de alimentación"},
        {"fuente de más de 750 w", "fuente de más de 750 w; category Fuentes de alimentación"},
        {"disco ssd 1tb", "disco ssd 1tb; subcategory Discos SSD"},
        {"memoria ram ddr5", "memoria ram ddr5; category Memorias RAM"},
        {"placa de video rtx 4090", "placa de video rtx 4090; category Placas de video"},
        {"rtx desde 3060", "rtx desde 3060"},
        {"placa de video hasta rtx 4060", "placa de video hasta rtx 4060; category Placas de video"},
        {"procesador i7 12700", "procesador i7 12700; category Procesadores"},
        {"procesador con más de 8 núcleos", "procesador con más de 8 núcleos; category Procesadores"},
        {"procesador up to 12 cores", "procesador up to 12 cores; category Procesadores"},
        {"iphone 15 pro max 256", "iphone 15 pro max 256"},
        {"iphone 15 pro max 512", "iphone 15 pro max 512"},
        {"notebook desde 2021", "notebook desde 2021; category Notebooks"},
        {"notebook de menos de 2 kg", "notebook de menos de 2 kg; category Notebooks"},
        {"auriculares over ear", "auriculares over ear; category Auriculares"},
        {"headphones with over 40 hours of battery", "headphones with over 40 hours of battery; category Auriculares"},
        {"notebook hasta 12 cuotas", "notebook hasta 12 cuotas; category Notebooks"},
        {"teclado con más de 100 reviews", "teclado con más de 100 reviews; category Teclados"},
        {"impresora hasta 20 páginas por minuto", "impresora hasta 20 páginas por minuto"},
        {"router hasta 30 dispositivos", "router hasta 30 dispositivos"},
        {"notebook 1.500", "notebook 1.500; category Notebooks"},
        {"monitor 200 - 300", "monitor 200 - 300; category Monitores"},
        {"version 192.168.0.1 hasta 10.20.30", "version 192.168.0.1 hasta 10.20.30"},
        {"menos de 5", "menos de 5"},
        {"zapatillas us 10", "zapatillas us 10"},
        {"$50 de descuento en teclados", "teclados; category Teclados; on sale"},
        {"2 teclados", "2 teclados; category Teclados"},
    });
}

}  // namespace
}  // namespace decant::search
