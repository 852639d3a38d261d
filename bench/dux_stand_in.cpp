// The ERP of scripts/bench sync: version 1 of DUX's API without its pace, with texts of the items that stand ready.
//
//   dux_stand_in ITEMS
//
// Prints its address. Then each line of standard input, PRICES STOCKS NAMES (numbers), makes the catalog anew: an
// item's price, stock or name is another one where its number is. Answers "ready". Ends at the end of its input.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/http_stand_in.hpp"

namespace {

using decant::test::StandInAnswer;
using decant::test::StandInRequest;

constexpr std::size_t most_items = 50;
constexpr std::size_t categories = 40;
constexpr std::size_t brands = 200;

struct Edition {
    std::size_t prices = 0;
    std::size_t stocks = 0;
    std::size_t names = 0;
};

constexpr std::string_view item_format =
    R"({{"cod_item":"SKU-{0:06}","item":"Producto {0} modelo {3} de la línea {4}","codigos_barra":["779{0:010}"],)"
    R"("rubro":{{"id_rubro":{4},"rubro":"Rubro {4}"}},"sub_rubro":{{"id":{5},"nombre":"Subrubro {5}"}},)"
    R"("marca":{{"codigo_marca":"M{6}","marca":"Marca {6}"}},"proveedor":{{"id_proveedor":7,"proveedor":"Mayorista"}},)"
    R"("costo":"{1}.25","porc_iva":"21.00","precios":[{{"id":1,"nombre":"LISTA GENERAL","precio":"{1}.50"}},)"
    R"({{"id":2,"nombre":"MAYORISTA","precio":"{1}.10"}}],"stock":[{{"id":1,"nombre":"LOCAL","ctd_disponible":"{2}",)"
    R"("stock_real":"{2}","stock_reservado":"0","stock_disponible":"{2}","id_det_item":{0},"talle":null,)"
    R"("color":null}}],"habilitado":"SI","codigo_externo":"EXT-{0}","fecha_creacion":"2024-03-01",)"
    R"("imagen_url":"https://example.org/{0}.jpg"}})";

class Catalog {
public:
    explicit Catalog(std::size_t count) : items_(count) { make({}); }

    void make(const Edition& edition) {
        const std::lock_guard lock{mutex_};
        for (std::size_t i = 0; i < items_.size(); ++i) {
            const std::size_t category = i % categories;
            items_[i] = fmt::format(item_format, i, 1000 + (i + edition.prices) % 5000, 1 + (i + edition.stocks) % 90,
                                    edition.names, category, category * 3 + i / categories % 3, i % brands);
        }
    }

    StandInAnswer answer(const StandInRequest& request) {
        const std::lock_guard lock{mutex_};
        if (request.target == "/rubros") return {.body = rubros()};
        const auto offset = parameter(request.target, "offset=");
        const auto limit = parameter(request.target, "limit=");
        if (!request.target.starts_with("/items?") || !offset || !limit || *limit < 1 || *limit > most_items)
            return {.status = 400, .body = R"({"error":"parámetros"})"};
        StandInAnswer answer{.headers = {"Content-Type: application/json"}};
        answer.body = fmt::format(R"({{"paging":{{"total":{},"offset":{},"limit":{}}},"results":[)", items_.size(),
                                  *offset, *limit);
        for (std::size_t i = *offset; i < std::min(*offset + *limit, items_.size()); ++i) {
            if (i > *offset) answer.body += ',';
            answer.body += items_[i];
        }
        answer.body += "]}";
        return answer;
    }

private:
    static std::optional<std::size_t> parameter(const std::string& target, std::string_view name) {
        const std::size_t at = target.find(name);
        if (at == std::string::npos) return std::nullopt;
        std::size_t value = 0;
        std::from_chars(target.data() + at + name.size(), target.data() + target.size(), value);
        return value;
    }

    static std::string rubros() {
        std::string all;
        for (std::size_t i = 0; i < categories; ++i)
            all += fmt::format(R"({}{{"id_rubro":{},"rubro":"Rubro {}"}})", i == 0 ? "[" : ",", i, i);
        return all + "]";
    }

    std::mutex mutex_;
    std::vector<std::string> items_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: dux_stand_in ITEMS\n", stderr);
        return 2;
    }
    Catalog catalog{std::stoul(argv[1])};
    const decant::test::HttpStandIn server{[&](const StandInRequest& request) { return catalog.answer(request); }};
    std::cout << server.url() << std::endl;
    for (Edition edition; std::cin >> edition.prices >> edition.stocks >> edition.names;) {
        catalog.make(edition);
        std::cout << "ready" << std::endl;
    }
    return 0;
}
