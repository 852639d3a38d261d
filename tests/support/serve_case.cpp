#include "tests/support/serve_case.hpp"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>

#include "tests/support/eventually.hpp"

namespace decant::test {
namespace {

using namespace std::chrono_literals;

void require(const Outcome& outcome) {
    if (outcome.exit_code != 0) throw std::runtime_error(outcome.told());
}

}  // namespace

ServedDecant::ServedDecant(const DecantProgram& decant, const std::vector<std::string>& environment)
    : process_(decant.start({"serve", "--port", "0", "--no-worker"}, environment)) {
    const bool listens = eventually(30s, [&] { return process_.out().ends_with('\n') || process_.has_ended(); });
    const std::string url = process_.out();
    if (!listens || !url.starts_with("http")) throw std::runtime_error("no server: " + url + process_.err());
    port_ = static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
}

ServeCase::ServeCase(ThrowawayCluster& cluster)
    : ollama_(std::in_place, FakeModel{.dimension = 8}), ollama_url_(ollama_->url()), with_(cluster.create_database()) {
    require(with_.decant().run({"schema", "up", "--dimension", "8"}));
    with_.exec(
        "INSERT INTO categories (name, display_name) VALUES ('audio', 'Audio');"
        "INSERT INTO products (name, specs, price, stock, sku, category_id) "
        "SELECT 'Producto ' || i, '', 100 + i, 5, 'p-' || i, c.id FROM generate_series(1, 100) i, categories c");
    require(with_.decant().run({"embed", "--all"}, {"OLLAMA_API_URL=" + ollama_url_}));
    with_.exec("ANALYZE products");
}

std::vector<std::string> ServeCase::environment() const {
    return {"OLLAMA_API_URL=" + ollama_url_, "PGVECTOR_SIMILARITY_THRESHOLD=-1", "DECANT_RATE_SEARCH=0",
            "DECANT_RATE_CHAT=0", "DECANT_RATE_MONITORING=0"};
}

ServedDecant ServeCase::serve(const std::vector<std::string>& more) const {
    std::vector<std::string> all = environment();
    all.insert(all.end(), more.begin(), more.end());
    return {with_.decant(), all};
}

}  // namespace decant::test
