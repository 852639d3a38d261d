// The catalog embedded by a stand-in for Ollama: what its faults do to the queue and to the vectors.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <csignal>

#include "tests/support/catalog_case.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/fake_ollama.hpp"

namespace decant::test {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::IsEmpty;

class EmbedByOllama : public testing::Test {
protected:
    Outcome run(const std::vector<std::string>& arguments) const {
        return catalog.decant().run(arguments, {"OLLAMA_API_URL=" + server.url()});
    }
    std::string vectors() const { return catalog.value("SELECT count(embedding) FROM products"); }
    std::string jobs() const { return catalog.value("SELECT count(*) FROM decant.embedding_jobs"); }
    std::string dead() const { return catalog.value("SELECT count(*) FROM decant.embedding_dead_letters"); }

    FakeOllama server{{.dimension = CatalogCase::dimension}};
    CatalogCase catalog;
};

/// Answers every text from then on as another model would.
FakeOllama::Spoil swapped() {
    return [](const auto&, json::array& vectors) {
        for (json::value& vector : vectors)
            std::ranges::reverse(vector.as_array());
    };
}

TEST_F(EmbedByOllama, StoresAVectorOfEveryProductWithTheModelsName) {
    catalog.put_products(1, 150);
    const Outcome outcome = run({"embed"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_EQ(vectors(), "150");
    EXPECT_EQ(catalog.value("SELECT string_agg(DISTINCT embedding_model, ',') FROM products"), "nomic-embed-text");
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST_F(EmbedByOllama, E1_ChargesNoProductForAServerThatGoesDownOnTheWay) {
    catalog.put_products(1, 150);
    server.set_fault([is_down = false](const StandInRequest& request) mutable -> std::optional<StandInAnswer> {
        is_down = is_down || request.body.find("Producto 90.") != std::string::npos;
        if (request.target != "/api/embed" || !is_down) return std::nullopt;
        return StandInAnswer{.status = 502, .body = "bad gateway", .headers = {"Retry-After: 0"}};
    });
    auto worker = catalog.decant().start({"worker"}, {"OLLAMA_API_URL=" + server.url()});
    ASSERT_TRUE(eventually(std::chrono::seconds{60}, [&] {
        return worker.err().find("the embedder is away, its jobs wait") != std::string::npos;
    })) << worker.err();
    EXPECT_NE(jobs(), "0");
    server.set_fault({});
    EXPECT_TRUE(eventually(std::chrono::seconds{60}, [&] { return vectors() == "150"; })) << worker.err();
    worker.signal(SIGTERM);
    worker.wait();
    EXPECT_EQ(jobs() + dead(), "00");
}

TEST_F(EmbedByOllama, J2_APoisonedTextThatBreaksTheServersAnswerCostsItselfAlone) {
    catalog.put_products(1, 150);
    server.set_fault([](const StandInRequest& request) -> std::optional<StandInAnswer> {
        if (request.body.find("Producto 90.") == std::string::npos) return std::nullopt;
        return StandInAnswer{.status = 500, .body = "panic", .headers = {"Retry-After: 0"}};
    });
    const Outcome outcome = run({"worker", "--once"});
    EXPECT_EQ(vectors(), "149") << outcome.told();
    EXPECT_EQ(catalog.value("SELECT attempts > 0 AND last_error LIKE '%panic%' FROM decant.embedding_jobs"), "t");
}

TEST_F(EmbedByOllama, E4_SaysHowToPullAMissingModelBeforeAnythingIsQueued) {
    catalog.put_products(1, 5);
    const std::string before = catalog.value("SELECT count(*) FROM decant.embedding_batches");
    server.remove("nomic-embed-text");
    const Outcome outcome = run({"embed", "--all"});
    EXPECT_EQ(outcome.exit_code, 65);
    EXPECT_THAT(outcome.err, HasSubstr("ollama pull nomic-embed-text"));
    EXPECT_EQ(catalog.value("SELECT count(*) FROM decant.embedding_batches"), before);
}

TEST_F(EmbedByOllama, E5_NoticesAModelThatWasSwappedBeforeTheFirstWrite) {
    catalog.put_products(1, 5);
    ASSERT_EQ(run({"embed"}).exit_code, 0);
    catalog.put_products(6, 5);
    server.set_spoil(swapped());
    const Outcome outcome = run({"embed"});
    EXPECT_EQ(outcome.exit_code, 75) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr("is not the one that made the catalog's vectors"));
    EXPECT_EQ(vectors(), "5");
}

TEST_F(EmbedByOllama, E5_NoticesAModelThatIsSwappedWhileItEmbeds) {
    catalog.put_products(1, 150);
    server.set_spoil([batches = 0](const std::vector<std::string>& texts, json::array& vectors) mutable {
        batches += texts.size() > 1 ? 1 : 0;
        if (batches > 1) swapped()(texts, vectors);
    });
    const Outcome outcome = run({"embed", "--batch-size", "20"});
    EXPECT_EQ(outcome.exit_code, 75) << outcome.told();
    EXPECT_EQ(vectors(), "20") << "of the batch before";
}

TEST_F(EmbedByOllama, E6_TellsOfTextsThatWereCut) {
    server.put({.dimension = CatalogCase::dimension, .context = 60});
    catalog.put_products(1, 3);
    catalog.exec("UPDATE products SET description = repeat('palabra ', 60) WHERE sku = 'sku-2'");
    const Outcome outcome = run({"embed"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
    EXPECT_THAT(outcome.out, HasSubstr("cut: 1"));
    EXPECT_EQ(vectors(), "3");
}

}  // namespace
}  // namespace decant::test
