// What is embedded, and what of it may be stored.

#include "work/product_embedder.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <thread>

#include "core/error.hpp"
#include "tests/support/embedding_case.hpp"

namespace decant::test {
namespace {

using store::Demand;
using work::ProductEmbedder;
using work::ProductResult;
using Kind = ProductResult::Kind;
using testing::HasSubstr;

class EmbedProducts : public testing::Test {
protected:
    EmbedProducts() { with_.put(1, 3); }

    void prepare(const std::vector<std::string>& skus, Demand demand = Demand::stale) {
        ids_.clear();
        for (const std::string& sku : skus)
            ids_.push_back(with_.id_of(sku));
        std::vector<work::Wanted> wanted;
        for (const std::string& id : ids_)
            wanted.push_back({id, demand});
        embedder_.prepare(wanted);
    }
    /// What became of those that were prepared, in their order.
    std::vector<Kind> store() {
        std::vector<std::string> held = ids_;
        std::ranges::sort(held);
        pg::Transaction tx{db_};
        std::vector<Kind> kinds;
        for (const ProductResult& result : embedder_.store(held)) {
            kinds.push_back(result.kind);
            reason_ = result.reason;
        }
        tx.commit();
        return kinds;
    }
    std::string row(const std::string& sku, const std::string& what = "embedding::text") const {
        return with_.value(fmt::format("SELECT coalesce({}, '-') FROM products WHERE sku = '{}'", what, sku));
    }
    /// Makes the model of the embedder under test give this text, of any product, no vector.
    void poison(const std::string& part) {
        model_.spoil = [part](SmallEmbedder::Texts texts, SmallEmbedder::Answer&) {
            for (const std::string_view text : texts) {
                if (text.find(part) == std::string_view::npos) continue;
                throw Error{ErrorCode::request_invalid, "the model refuses this text", "-"};
            }
        };
    }

    EmbeddingCase with_;
    SmallEmbedder model_;
    pg::Connection db_ = with_.open();
    ProductEmbedder embedder_{db_, model_};
    std::vector<std::string> ids_;
    std::string reason_;
};

TEST_F(EmbedProducts, StoresVectorModelTimeAndDigestTogether) {
    prepare({"p-1", "p-2"});
    EXPECT_EQ(store(), (std::vector{Kind::embedded, Kind::embedded}));
    EXPECT_EQ(row("p-1", "embedding_model || ' ' || length(embedding_hash)"), "small 32");
    EXPECT_EQ(row("p-1", "(abs(extract(epoch FROM now() AT TIME ZONE 'UTC' - last_embedding_update)) < 60)::text"),
              "true");
    EXPECT_EQ(row("p-3"), "-");
    EXPECT_EQ(with_.value("SELECT 1 - (embedding <=> '[" +
                          [&] {
                              const auto vector = SmallEmbedder::vector_of(
                                  "passage: Product: Producto 1. Brand: acme. Category: Audio");
                              return fmt::format("{}", fmt::join(vector.values, ","));
                          }() +
                          "]') > 0.9999 FROM products WHERE sku = 'p-1'"),
              "t")
        << "the vector is of the text with brand and category";
}

TEST_F(EmbedProducts, DoesNotStoreAVectorOfATextThatChangedMeanwhile) {
    for (const char* change :
         {"UPDATE products SET name = name || '!' WHERE sku = 'p-1'",
          "UPDATE brands SET name = 'renamed' WHERE name = 'acme'",
          "UPDATE categories SET display_name = display_name || '!'",
          "UPDATE products SET brand_id = NULL WHERE sku = 'p-1'", "DELETE FROM products WHERE sku = 'p-1'"}) {
        prepare({"p-1"});
        with_.exec(change);
        EXPECT_EQ(store(), std::vector{Kind::changed}) << change;
    }
    EXPECT_EQ(with_.value("SELECT count(embedding) FROM products"), "0");
}

TEST_F(EmbedProducts, StoresWhenOnlyPriceAndStockChangedMeanwhile) {
    prepare({"p-1"});
    with_.exec("UPDATE products SET price = 7, stock = 0");
    EXPECT_EQ(store(), std::vector{Kind::embedded});
}

TEST_F(EmbedProducts, LeavesAProductThatSomeoneHasLockedForLaterAndDoesNotWait) {
    auto other = with_.open();
    const pg::Transaction under_way{other};
    other.exec("UPDATE products SET price = 1 WHERE sku = 'p-2'");
    db_.exec("SET lock_timeout = '5s'");
    prepare({"p-1", "p-2", "p-3"});
    EXPECT_EQ(store(), (std::vector{Kind::embedded, Kind::changed, Kind::embedded}));
}

TEST_F(EmbedProducts, SeesARenameThatWasCommittedWhileItTookItsLocks) {
    // The policy makes the statement that locks the rows wait after it has its snapshot: until the brand is renamed.
    with_.exec(
        "CREATE ROLE embed_worker LOGIN; GRANT ALL ON SCHEMA public, decant TO embed_worker;"
        "GRANT ALL ON ALL TABLES IN SCHEMA public, decant TO embed_worker;"
        "CREATE FUNCTION wait_for_rename() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_advisory_lock_shared(7); PERFORM pg_advisory_unlock_shared(7); RETURN true; END $$");
    prepare({"p-1"});
    with_.exec(
        "ALTER TABLE products ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY waits ON products FOR ALL USING (wait_for_rename())");
    auto renaming = with_.open();
    renaming.exec("SELECT pg_advisory_lock(7)");
    std::jthread renames{[&] {
        auto watching = with_.open();
        while (
            watching.exec("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").integer(0, 0) ==
            0) {
        }
        renaming.exec("UPDATE brands SET name = 'renamed' WHERE name = 'acme'");
        renaming.exec("SELECT pg_advisory_unlock(7)");
    }};
    db_.exec("SET ROLE embed_worker");
    EXPECT_EQ(store(), std::vector{Kind::changed});
    db_.exec("RESET ROLE");
    renames.join();
    EXPECT_EQ(row("p-1"), "-");
    with_.exec("DROP OWNED BY embed_worker; DROP ROLE embed_worker");
}

TEST_F(EmbedProducts, DoesNotEmbedATextAgainThatItsVectorIsOf) {
    prepare({"p-1"});
    ASSERT_EQ(store(), std::vector{Kind::embedded});
    const std::string version = row("p-1", "xmin::text");
    const int calls = model_.calls;
    for (const Demand demand : {Demand::stale, Demand::text}) {
        prepare({"p-1"}, demand);
        EXPECT_EQ(store(), std::vector{Kind::fresh});
    }
    EXPECT_EQ(row("p-1", "xmin::text"), version) << "nothing was written either";
    with_.exec("UPDATE products SET name = 'other' WHERE sku = 'p-1'");
    with_.exec("UPDATE products SET name = 'Producto 1' WHERE sku = 'p-1'");
    EXPECT_EQ(row("p-1", "last_embedding_update::text"), "-");
    prepare({"p-1"});
    EXPECT_EQ(store(), std::vector{Kind::fresh});
    EXPECT_NE(row("p-1", "last_embedding_update::text"), "-") << "changed and changed back: confirmed";
    EXPECT_EQ(model_.calls, calls);
    prepare({"p-1"}, Demand::all);
    EXPECT_EQ(store(), std::vector{Kind::embedded});
    EXPECT_EQ(model_.calls, calls + 1);
}

TEST_F(EmbedProducts, DoesNotStoreTwiceWhatTwoWorkersEmbeddedAtOnce) {
    SmallEmbedder model;
    pg::Connection db = with_.open();
    ProductEmbedder other{db, model};
    prepare({"p-1"});
    other.prepare({{with_.id_of("p-1")}});
    ASSERT_EQ(store(), std::vector{Kind::embedded});
    const std::string version = row("p-1", "xmin::text");
    EXPECT_EQ(other.store({with_.id_of("p-1")}).at(0).kind, Kind::fresh);
    EXPECT_EQ(row("p-1", "xmin::text"), version);
}

TEST_F(EmbedProducts, EmbedsWhatIsNotActiveOnlyWhenAskedForByName) {
    with_.exec("UPDATE products SET active = false WHERE sku = 'p-1'");
    prepare({"p-1"});
    EXPECT_EQ(store(), std::vector{Kind::fresh});
    prepare({"p-1"}, Demand::all);
    EXPECT_EQ(store(), std::vector{Kind::embedded});
    embedder_.prepare({{"00000000-0000-0000-0000-000000000000"}});
    EXPECT_EQ(embedder_.store({}).at(0).kind, Kind::gone);
}

TEST_F(EmbedProducts, J2_APoisonedTextCostsItsNeighboursNothing) {
    poison("Producto 2");
    prepare({"p-1", "p-2", "p-3"});
    EXPECT_EQ(store(), (std::vector{Kind::embedded, Kind::failed, Kind::embedded}));
    prepare({"p-2"});
    EXPECT_EQ(store(), std::vector{Kind::failed});
    EXPECT_EQ(reason_, "the model refuses this text");
}

TEST_F(EmbedProducts, DoesNotBlameAProductWhoseTextIsAnotherByNow) {
    poison("Producto 2");
    prepare({"p-2"});
    with_.exec("UPDATE products SET name = 'mended' WHERE sku = 'p-2'");
    EXPECT_EQ(store(), std::vector{Kind::changed});
}

TEST_F(EmbedProducts, BlamesAProductWithoutAnyText) {
    with_.exec(
        "ALTER TABLE products ALTER COLUMN category_id DROP NOT NULL;"
        "UPDATE products SET name = ' ', category_id = NULL, brand_id = NULL WHERE sku = 'p-2'");
    prepare({"p-2"});
    EXPECT_EQ(store(), std::vector{Kind::failed}) << reason_;
    EXPECT_EQ(model_.calls, 0);
}

TEST_F(EmbedProducts, E5_StopsBeforeTheFirstWriteWhenTheModelChangedUnderItsName) {
    EXPECT_FALSE(embedder_.check_model(false));
    EXPECT_FALSE(embedder_.check_model(false));
    prepare({"p-1", "p-2"});
    store();
    with_.exec("UPDATE products SET active = false WHERE sku = 'p-2'");
    const std::string before = row("p-1");
    model_.spoil = [](SmallEmbedder::Texts, SmallEmbedder::Answer& answer) {
        for (auto& vector : answer)
            std::ranges::rotate(vector.values, vector.values.begin() + 1);
    };
    try {
        ProductEmbedder{db_, model_}.check_model(false);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::conflict);
        EXPECT_THAT(error.happened(), HasSubstr("2 products of it are marked stale; no vector was written"));
        EXPECT_THAT(error.remedy(), HasSubstr("decant embed --all"));
    }
    EXPECT_EQ(row("p-1"), before);
    EXPECT_EQ(with_.value("SELECT count(last_embedding_update) FROM products"), "0");
    // A service may swap it at any time: the same, by a worker that has checked before.
    embedder_.prepare({});
    EXPECT_THROW(prepare({"p-3"}), Error);

    ProductEmbedder later{db_, model_};
    EXPECT_TRUE(later.check_model(true));
    EXPECT_FALSE(later.check_model(false)) << "accepted once and for all";
    later.prepare({{with_.id_of("p-1")}});
    EXPECT_EQ(later.store({with_.id_of("p-1")}).at(0).kind, Kind::embedded) << "its text is the same, its model is not";
    EXPECT_NE(row("p-1"), before);
    with_.exec("UPDATE products SET active = true WHERE sku = 'p-2'");
    later.prepare({{with_.id_of("p-2")}});
    EXPECT_EQ(later.store({with_.id_of("p-2")}).at(0).kind, Kind::embedded) << "also what was not active then";
}

TEST_F(EmbedProducts, MarksNothingWhereAModelGivesNoVectorAtAll) {
    EXPECT_FALSE(embedder_.check_model(false));
    prepare({"p-1"});
    ASSERT_EQ(store(), std::vector{Kind::embedded});
    poison("");
    try {
        prepare({"p-2"});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::embedder_unavailable);
        EXPECT_THAT(error.happened(), HasSubstr("cannot embed a plain sentence: the model refuses this text"));
    }
    EXPECT_EQ(with_.value("SELECT count(last_embedding_update) FROM products"), "1");
}

TEST_F(EmbedProducts, TakesNoVectorsOfAnotherProvidersModelOfTheSameNameForItsOwn) {
    EXPECT_FALSE(embedder_.check_model(false));
    prepare({"p-1"});
    ASSERT_EQ(store(), std::vector{Kind::embedded});
    const auto provider_of_all = [&](const std::string& provider) {
        with_.exec(fmt::format("UPDATE decant.embedding_models SET provider = '{}'", provider));
    };
    provider_of_all("elsewhere");
    EXPECT_FALSE((ProductEmbedder{db_, model_}.check_model(false))) << "the same weights";
    with_.exec("DELETE FROM decant.embedding_models WHERE provider = 'test'");
    with_.exec("UPDATE decant.embedding_models SET canary = ARRAY[1, 0, 0, 0, 0, 0, 0, 0]::real[]");
    EXPECT_THROW((ProductEmbedder{db_, model_}.check_model(false)), Error);
    with_.exec("UPDATE products SET embedding = NULL");
    EXPECT_FALSE((ProductEmbedder{db_, model_}.check_model(false))) << "there is no vector of that one";
}

TEST_F(EmbedProducts, RefusesAModelOfAnotherDimensionThanTheColumn) {
    const SchemaCase wide;
    auto db = wide.open();
    try {
        ProductEmbedder{db, model_};
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::dimension_mismatch);
        EXPECT_THAT(error.happened(), HasSubstr("Embedding dimension mismatch"));
    }
}

}  // namespace
}  // namespace decant::test
