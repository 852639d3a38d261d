#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "migrate/catalog_migration.hpp"
#include "tests/support/catalog_case.hpp"
#include "tests/support/small_embedder.hpp"

namespace decant::test {
namespace {

using migrate::MigrationReport;
using migrate::Reuse;
using testing::HasSubstr;

class Silent final : public migrate::MigrationObserver {
public:
    void begin_phase(const std::string&, std::uint64_t) override {}
    bool progress(std::uint64_t done, std::uint64_t) override { return done < stop_at; }
    void end_phase() override {}
    void note(const std::string&) override {}
    void line(const std::string& text) override { lines += text + "\n"; }

    std::string lines;
    std::uint64_t stop_at = ~0ULL;
};

/// Hands the test's embedder out as often as it is asked for.
class Lent final : public embed::Embedder {
public:
    explicit Lent(SmallEmbedder& inner) : inner_(inner) {}
    const embed::Model& model() const noexcept override { return inner_.model(); }
    std::vector<embed::TextVector> embed(std::span<const std::string_view> texts, embed::Role role) override {
        return inner_.embed(texts, role);
    }

private:
    SmallEmbedder& inner_;
};

class MigrateEmbed : public testing::Test {
protected:
    /// Records whose vectors are what the embedder makes of their documents.
    void put_proven(std::uint64_t first, std::uint64_t count) {
        std::vector<SourceRecord> records;
        for (std::uint64_t number = first; number < first + count; ++number) {
            SourceRecord record = CatalogCase::record(number);
            record.document = fmt::format("Producto {}", number);
            record.vector = SmallEmbedder::vector_of("passage: " + *record.document).values;
            records.push_back(std::move(record));
        }
        with_.source().put(records);
    }

    migrate::MigrationRequest request() {
        return {.conninfo = with_.decant().conninfo(),
                .source = {.from = with_.source().path().string()},
                .collection = {.name = "products"},
                .batch_size = 4,
                .open_embedder =
                    [this] {
                        ++opened_;
                        return std::make_unique<Lent>(embedder_);
                    },
                .command_line = "decant migrate"};
    }

    MigrationReport run(const migrate::MigrationRequest& request) {
        observer_.lines.clear();
        MigrationReport report = migrate::migrate_catalog(request, observer_);
        EXPECT_EQ(report.migrated + report.skipped + report.errors, report.total);
        return report;
    }

    /// How many products have the vector that the embedder makes of their own text.
    std::uint64_t embedded() {
        std::uint64_t equal = 0;
        pg::Connection db = with_.open();
        const pg::Result rows = db.exec(
            "SELECT p.name, array_to_string(p.embedding::real[], ' ') FROM products p WHERE embedding IS NOT NULL");
        for (int row = 0; row < rows.rows(); ++row) {
            const std::string text = fmt::format("passage: Product: {}. Category: Audio", rows.text(row, 0));
            std::string vector;
            for (const float value : SmallEmbedder::vector_of(text).values)
                vector += fmt::format("{}{}", vector.empty() ? "" : " ", value);
            if (vector == rows.text(row, 1)) ++equal;
        }
        return equal;
    }

    CatalogCase with_;
    SmallEmbedder embedder_;
    Silent observer_;
    int opened_ = 0;
};

TEST_F(MigrateEmbed, TakesProvenVectorsAndEmbedsTheRest) {
    with_.put_products(0, 30);
    put_proven(0, 20);
    const MigrationReport report = run(request());
    EXPECT_EQ(report.migrated, 30U);
    EXPECT_EQ(report.embedded, 10U);
    EXPECT_EQ(report.compared, 20U);
    EXPECT_EQ(report.differences, 0U);
    EXPECT_NEAR(report.likeness.value_or(0), 1, 1e-6);
    EXPECT_EQ(report.probed, 16U);
    EXPECT_EQ(embedded(), 10U);
    EXPECT_EQ(with_.value("SELECT count(*) FROM products WHERE embedding_model = 'small'"), "30");
    EXPECT_EQ(with_.value("SELECT count(embedding_hash) FROM products"), "10");
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.embedding_jobs"), "0");
    EXPECT_THAT(observer_.lines, HasSubstr("Will migrate 30 products"));
}

TEST_F(MigrateEmbed, EmbedsAllAnewWhereTheModelMakesOthersOfTheSameDocuments) {
    with_.put_products(0, 12);
    with_.put_records(0, 12);
    const MigrationReport report = run(request());
    EXPECT_EQ(report.migrated, 12U);
    EXPECT_EQ(report.embedded, 12U);
    EXPECT_LT(report.likeness.value_or(1), 0.99);
    EXPECT_EQ(report.differences, 0U);
    EXPECT_EQ(embedded(), 12U);
    EXPECT_THAT(report.not_reused, HasSubstr("makes others of the same documents"));
}

TEST_F(MigrateEmbed, ProvesNothingByRecordsWithoutDocuments) {
    with_.put_products(0, 3);
    std::vector<SourceRecord> records;
    for (std::uint64_t number = 0; number < 3; ++number) {
        records.push_back(CatalogCase::record(number));
        records.back().document.reset();
    }
    with_.source().put(records);
    EXPECT_THAT(run(request()).not_reused, HasSubstr("no documents"));
    EXPECT_EQ(embedded(), 3U);
}

TEST_F(MigrateEmbed, TakesVectorsWithoutProofAndWithoutAModelWhereItIsToldTo) {
    with_.put_products(0, 5);
    with_.put_records(0, 5);
    migrate::MigrationRequest always = request();
    always.reuse = Reuse::always;
    const MigrationReport report = run(always);
    EXPECT_EQ(report.migrated, 5U);
    EXPECT_EQ(report.compared, 5U);
    EXPECT_EQ(opened_, 0);
    EXPECT_EQ(embedder_.calls, 0);
    with_.put_products(5, 2);
    EXPECT_EQ(run(always).embedded, 2U);
}

TEST_F(MigrateEmbed, TakesNoVectorWhereItIsToldTo) {
    with_.put_products(0, 5);
    put_proven(0, 5);
    migrate::MigrationRequest never = request();
    never.reuse = Reuse::never;
    EXPECT_EQ(run(never).embedded, 5U);
    EXPECT_EQ(embedded(), 5U);
}

TEST_F(MigrateEmbed, ForcedEmbedsAllAnewAndAlwaysForcedTakesChromasAgain) {
    with_.put_products(0, 8);
    put_proven(0, 6);
    run(request());
    migrate::MigrationRequest forced = request();
    forced.force = true;
    EXPECT_EQ(run(forced).embedded, 8U);
    EXPECT_EQ(embedded(), 8U);
    forced.reuse = Reuse::always;
    const MigrationReport report = run(forced);
    EXPECT_EQ(report.migrated, 8U);
    EXPECT_EQ(report.embedded, 2U);
    EXPECT_EQ(embedded(), 2U);
}

TEST_F(MigrateEmbed, CountsAddUpInEveryMix) {
    with_.put_products(0, 20);
    with_.exec(
        "UPDATE products SET active = false WHERE sku = 'sku-19';"
        "UPDATE products SET name = 'veneno' WHERE sku = 'sku-18';"
        "UPDATE products SET embedding = '[1,2,3,4,5,6,7,8]', embedding_model = 'other', last_embedding_update = now() "
        "WHERE sku = 'sku-0'");
    put_proven(0, 12);
    SourceRecord zero = CatalogCase::record(11);
    zero.vector.assign(CatalogCase::dimension, 0);
    SourceRecord stale = CatalogCase::record(10);
    for (auto& [key, value] : stale.metadata) {
        if (key == "name") value = std::string{"another name"};
    }
    with_.source().put({zero, stale});
    embedder_.spoil = [](SmallEmbedder::Texts texts, SmallEmbedder::Answer&) {
        for (const std::string_view text : texts) {
            if (text.find("veneno") != std::string_view::npos)
                throw Error{ErrorCode::request_invalid, "the text is poison", "Leave it out."};
        }
    };
    const MigrationReport report = run(request());
    EXPECT_EQ(report.total, 19U);
    EXPECT_EQ(report.already, 1U);
    EXPECT_EQ(report.errors, 1U);
    EXPECT_EQ(report.embedded, 8U);  // 10, 11 and 12 to 17
    EXPECT_EQ(report.migrated, 17U);
    EXPECT_EQ(report.stale, 1U);
    ASSERT_FALSE(report.notes.empty());
    EXPECT_EQ(report.notes.back().reason, "the text is poison");
    ASSERT_FALSE(report.warnings.empty());
    EXPECT_THAT(report.warnings.back(), HasSubstr("1 products have vectors of another model (other)"));
}

TEST_F(MigrateEmbed, RefusesAModelOfAnotherDimensionThanTheColumnBeforeAnyWrite) {
    with_.put_products(0, 3);
    put_proven(0, 3);
    with_.exec(
        "ALTER TABLE products DROP COLUMN embedding CASCADE; ALTER TABLE products ADD COLUMN embedding vector(9)");
    try {
        run(request());
        FAIL() << observer_.lines;
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::dimension_mismatch);
        EXPECT_THAT(error.happened(),
                    HasSubstr("Embedding dimension mismatch: model 'small' (test) gives 8-d vectors"));
    }
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.embedding_models"), "0");
    EXPECT_EQ(with_.value("SELECT pg_catalog.to_regclass('decant.runs') IS NULL"), "t");
}

TEST_F(MigrateEmbed, EmbedsAnewACollectionOfAnotherDimensionThanTheModels) {
    SyntheticChroma wide{{.dimension = 16, .space = "cosine"}};
    with_.put_products(0, 3);
    SourceRecord record = sample_record(1, 16);
    record.metadata = CatalogCase::record(1).metadata;
    wide.put({record});
    migrate::MigrationRequest other = request();
    other.source.from = wide.path().string();
    const MigrationReport report = run(other);
    EXPECT_EQ(report.embedded, 3U);
    EXPECT_TRUE(report.is_verified());
    EXPECT_THAT(report.not_reused, HasSubstr("16 dimensions"));
}

TEST_F(MigrateEmbed, ADryRunWritesNothing) {
    with_.put_products(0, 6);
    put_proven(0, 4);
    migrate::MigrationRequest dry = request();
    dry.dry_run = true;
    const MigrationReport report = migrate::migrate_catalog(dry, observer_);
    EXPECT_EQ(report.planned, 6U);
    EXPECT_EQ(report.to_embed, 2U);
    EXPECT_EQ(with_.value("SELECT count(embedding) FROM products"), "0");
    EXPECT_EQ(with_.value("SELECT count(*) FROM decant.embedding_models"), "0");
    EXPECT_EQ(with_.value("SELECT pg_catalog.to_regclass('decant.runs') IS NULL"), "t");
}

TEST_F(MigrateEmbed, StopsAtTheEndOfABatchAndGoesOnThere) {
    with_.put_products(0, 20);
    put_proven(0, 4);
    observer_.stop_at = 12;
    EXPECT_THROW(run(request()), Error);
    EXPECT_EQ(with_.value("SELECT count(embedding) FROM products"), "12");
    observer_.stop_at = ~0ULL;
    const int calls = embedder_.calls;
    const MigrationReport report = run(request());
    EXPECT_EQ(report.migrated, 8U);
    EXPECT_TRUE(report.is_verified());
    EXPECT_LE(embedder_.calls - calls, 2 + 2);  // two batches, the proof, the model's own text
}

TEST_F(MigrateEmbed, GoesOnAfterAForcedRunThatFailedWithoutComparingWhatWasEmbedded) {
    with_.put_products(0, 12);
    put_proven(0, 12);
    run(request());
    migrate::MigrationRequest forced = request();
    forced.force = true;
    arm_failpoints("migrate.batch_embedded:3:error");
    EXPECT_THROW(run(forced), Error);
    arm_failpoints("");
    const MigrationReport report = run(forced);
    EXPECT_EQ(report.embedded, 4U);
    EXPECT_TRUE(report.is_verified()) << observer_.lines;
    EXPECT_EQ(embedded(), 12U);
}

TEST_F(MigrateEmbed, NoticesAModelThatChangedUnderItsNameBeforeTheFirstWrite) {
    with_.put_products(0, 4);
    run(request());
    with_.put_products(4, 4);
    embedder_.spoil = [](SmallEmbedder::Texts, SmallEmbedder::Answer& answer) {
        for (embed::TextVector& vector : answer)
            std::swap(vector.values[0], vector.values[1]);
    };
    try {
        run(request());
        FAIL() << observer_.lines;
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::conflict);
    }
    EXPECT_EQ(with_.value("SELECT count(embedding) FROM products"), "4");
}

}  // namespace
}  // namespace decant::test
