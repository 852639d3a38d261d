#include "tests/support/schema_case.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "core/child_process.hpp"

namespace decant::test {

SchemaCase::SchemaCase() : SchemaCase(ThrowawayCluster::shared().create_database()) {
    const Outcome outcome = decant_.run({"schema", "up", "--dimension", std::to_string(dimension)});
    if (outcome.exit_code != 0) throw std::runtime_error(outcome.told());
}

void SchemaCase::put_products(int count) const {
    open().exec(fmt::format(
        R"sql(
INSERT INTO categories (name, display_name) SELECT 'cat-' || i, 'Category ' || i FROM generate_series(0, 7) i;
INSERT INTO brands (name, display_name) SELECT 'brand-' || i, 'Brand ' || i FROM generate_series(0, 19) i;
SELECT setseed(0.25);
INSERT INTO products (name, specs, price, stock, sku, category_id, brand_id, embedding, last_embedding_update,
                      embedding_model)
SELECT 'Product ' || i, 'specs', i, (i % 10 > 0)::int, 'sku-' || i, c.id, b.id,
       (SELECT array_agg(random() - 0.5 + CASE WHEN k = i % 50 THEN 2 ELSE 0 END) FROM generate_series(0, {} - 1) k)::vector,
       now(), 'a model'
FROM generate_series(1, {}) i
JOIN categories c ON c.name = 'cat-' || i % 8
JOIN brands b ON b.name = 'brand-' || i % 20;
ANALYZE products;
)sql",
        dimension, count));
}

Outcome SchemaCase::psql_file(const std::string& name, const std::string& environment) const {
    ProgramCall call = ThrowawayCluster::shared().installation().call(
        "psql",
        {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", decant_.conninfo(), "-f", DECANT_SOURCE_DIR "/migrations/" + name});
    if (!environment.empty()) call.environment.push_back(environment);
    const ProgramResult result = run_program(call);
    return {.exit_code = result.exit_code, .out = result.output, .err = "", .seconds = 0};
}

Outcome SchemaCase::shell(const std::string& script) const {
    const std::string libraries = (ThrowawayCluster::shared().installation().folder() / "lib").string();
    const ProgramResult result =
        run_program({.argv = {"/bin/bash", "-c", script}, .environment = {"LD_LIBRARY_PATH=" + libraries}});
    return {.exit_code = result.exit_code, .out = result.output, .err = "", .seconds = 0};
}

std::string database_of(const std::string& conninfo) {
    return conninfo.substr(conninfo.rfind('=') + 1);
}

}  // namespace decant::test
