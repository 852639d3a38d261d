// `decant doctor`: each check against a catalog in which just that is broken.

#include <algorithm>
#include <set>

#include "tests/pg/doctor_case.hpp"
#include "tests/support/build_of_others.hpp"
#include "tests/support/small_disk.hpp"

namespace decant::test {
namespace {

using operate::CheckState;
using operate::Diagnosis;
using testing::HasSubstr;
using testing::Not;

const std::vector<Break>& all_breaks() {
    static const std::vector<Break> all = [] {
        std::vector<Break> breaks;
        for (const auto theme :
             {server_breaks, schema_breaks, index_breaks, vectors_breaks, model_breaks, surroundings_breaks})
            std::ranges::move(theme(), std::back_inserter(breaks));
        return breaks;
    }();
    return all;
}

std::string told(const Diagnosis& diagnosis) {
    return json_text(operate::json_of(diagnosis));
}

/// Whether the server has no pgvector without the faults that two checks name.
bool has_old_pgvector(const DoctorCase& with) {
    return with.open()
        .exec("SELECT default_version < '0.8.4' FROM pg_available_extensions WHERE name = 'vector'")
        .boolean(0, 0);
}

bool is_of_pgvector_faults(std::string_view id) {
    return id == "pgvector.security" || id == "pgvector.vacuum";
}

class DoctorChecks : public testing::TestWithParam<std::size_t> {};

TEST_P(DoctorChecks, NamesWhatIsBrokenAndMendsWhatCanBeMended) {
    const Break& broken = all_breaks()[GetParam()];
    if (broken.needs_root && !SmallDisk::is_possible()) GTEST_SKIP() << "needs root";
    DoctorCase with;
    if (is_of_pgvector_faults(broken.id) && has_old_pgvector(with)) GTEST_SKIP() << "no newer pgvector is there";
    broken.apply(with);
    const Diagnosis found = with.look(broken.id);
    EXPECT_EQ(found.finding.state, broken.state) << told(found);
    EXPECT_THAT(found.finding.found, HasSubstr(broken.found));
    EXPECT_THAT(found.finding.remedy, HasSubstr(broken.remedy));
    EXPECT_FALSE(found.why.empty());
    if (broken.mending == Break::Mending::none) {
        EXPECT_FALSE(found.finding.mend) << told(found);
        return;
    }
    ASSERT_TRUE(found.finding.mend) << told(found);
    const Diagnosis mended = with.mend(broken.id);
    EXPECT_TRUE(mended.is_mended()) << told(mended);
}

std::string name_of(const testing::TestParamInfo<std::size_t>& info) {
    std::string name = fmt::format("{}_{}", all_breaks()[info.param].id, info.param);
    std::ranges::replace(name, '.', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Doctor, DoctorChecks, testing::Range<std::size_t>(0, all_breaks().size()), name_of);

TEST(Doctor, HasNoCheckWithoutATestThatBreaksIt) {
    std::set<std::string, std::less<>> broken;
    for (const Break& one : all_breaks())
        broken.insert(one.id);
    const std::vector<std::string_view> ids = operate::check_ids();
    EXPECT_THAT(broken, testing::ElementsAreArray(std::set<std::string, std::less<>>(ids.begin(), ids.end())));
    EXPECT_EQ(broken.size(), ids.size()) << "two checks have one id";
    EXPECT_GE(ids.size(), 30U);
}

TEST(Doctor, FindsNothingWrongWithASoundCatalogAndLeavesNoneOutAfterTheFirstTime) {
    const DoctorCase with;
    const bool is_old = has_old_pgvector(with);
    for (int time = 0; time < 2; ++time) {
        for (const auto& [id, diagnosis] : with.examine()) {
            if (is_old && is_of_pgvector_faults(id)) continue;
            EXPECT_EQ(diagnosis.finding.state, CheckState::ok) << told(diagnosis);
            EXPECT_EQ(diagnosis.finding.remedy, "") << id;
        }
    }
}

TEST(Doctor, SkipsWhatNeedsTheDatabaseWhenItIsDown) {
    DoctorCase with;
    with.settings["DATABASE_URL"] = "host=/nowhere port=1 user=enzo dbname=aynux";
    for (const auto& [id, diagnosis] : with.examine()) {
        const bool needs_none = id.starts_with("settings.") || id.starts_with("embedder.") || id.starts_with("chroma.");
        if (id == "connection")
            EXPECT_EQ(diagnosis.finding.state, CheckState::failure);
        else if (!needs_none)
            EXPECT_EQ(diagnosis.finding.state, CheckState::skipped) << told(diagnosis);
        else
            EXPECT_NE(diagnosis.finding.state, CheckState::failure) << told(diagnosis);
    }
}

TEST(Doctor, SkipsWithTheServersWordsWhatTheRoleMayNotLookAt) {
    DoctorCase with;
    with.settings["DATABASE_URL"] = with.new_role();
    const Diagnosis disk = with.look("server.disk");
    EXPECT_EQ(disk.finding.state, CheckState::skipped);
    EXPECT_THAT(disk.finding.found, testing::AnyOf(HasSubstr("permission denied"), HasSubstr("must be superuser")));
}

TEST(Doctor, FailsWhereTheCollectionCannotBeHadThatTheStrategyAsksFirst) {
    DoctorCase with;
    with.settings["CHROMA_PATH"] = "/nowhere";
    with.settings["PRODUCT_SEARCH_STRATEGY"] = "chroma_primary";
    EXPECT_EQ(with.look("chroma.reachable").finding.state, CheckState::failure);
}

TEST(Doctor, LeavesIndexesAloneThatSearchesDoNotAskFor) {
    DoctorCase with;
    with.exec(
        "DROP INDEX idx_products_embedding_hnsw;"
        "CREATE INDEX mine ON products USING hnsw (embedding vector_l2_ops)");
    const Diagnosis found = with.look("index.operator_class");
    EXPECT_EQ(found.finding.state, CheckState::failure) << told(found);
    EXPECT_THAT(found.finding.remedy, Not(HasSubstr("DROP INDEX")));
    const Diagnosis mended = with.mend("index.operator_class");
    EXPECT_TRUE(mended.is_mended()) << told(mended);
    EXPECT_EQ(with.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'mine'::regclass"), "t");
}

TEST(Doctor, TakesABuildOfAnotherRoleForNoLeftover) {
    DoctorCase with;
    const BuildOfOthers build{
        with, "products", "CREATE INDEX CONCURRENTLY idx_of_others ON products USING hnsw (embedding vector_l2_ops)"};
    with.settings["DATABASE_URL"] = build.conninfo();
    const Diagnosis diagnosis = with.look("index.leftovers");
    EXPECT_EQ(diagnosis.finding.state, CheckState::ok) << told(diagnosis);
}

TEST(Doctor, DoesNotRebuildAnIndexWhileAnotherExclusiveOperationRuns) {
    const DoctorCase with;
    with.exec("DROP INDEX idx_products_embedding_hnsw");
    pg::Connection other = with.open();
    pg::Transaction held{other};
    other.exec("SELECT pg_advisory_xact_lock(hashtextextended('decant operate', 0))");
    const Diagnosis diagnosis = with.mend("index.present");
    EXPECT_EQ(diagnosis.finding.state, CheckState::failure);
    EXPECT_THAT(diagnosis.mending_failed, HasSubstr("may not run beside it"));
}

/// The program, with the settings of the case.
Outcome run(const DoctorCase& with, std::vector<std::string> arguments) {
    std::vector<std::string> environment;
    for (const auto& [key, value] : with.settings)
        environment.push_back(fmt::format("{}={}", key, value));
    arguments.insert(arguments.begin(), "doctor");
    return with.decant().run(arguments, environment);
}

TEST(DoctorCommand, EndsWithOneOnlyWhenAFailureWasFound) {
    const DoctorCase with;
    EXPECT_EQ(run(with, {}).exit_code, 0) << run(with, {}).told();
    with.exec("DELETE FROM pg_statistic WHERE starelid = 'products'::regclass");
    const Outcome warned = run(with, {});
    EXPECT_EQ(warned.exit_code, 0) << warned.told();
    EXPECT_THAT(warned.out, HasSubstr("warning  upkeep.statistics"));
    with.exec("DROP TRIGGER trigger_update_embedding_version ON products");
    const Outcome failed = run(with, {});
    EXPECT_EQ(failed.exit_code, 1) << failed.told();
    EXPECT_THAT(failed.out, HasSubstr("failure  schema.triggers"));
    EXPECT_THAT(failed.out, HasSubstr("why  Without them changed products keep the vector of their old text."));
    EXPECT_THAT(failed.out, HasSubstr("do   decant schema up"));
}

TEST(DoctorCommand, FixMendsWhatIsSafeAndLeavesTheRestWhereNobodyCanAnswer) {
    const DoctorCase with;
    with.exec(
        "DROP FUNCTION product_similarity(uuid, uuid);"
        "UPDATE products SET embedding = array_fill(0::real, ARRAY[8])::vector WHERE sku = 'sku-7'");
    const Outcome safe = run(with, {"--fix"});
    EXPECT_EQ(safe.exit_code, 1) << safe.told();
    EXPECT_THAT(safe.out, HasSubstr("mended   schema.functions"));
    EXPECT_THAT(safe.out, HasSubstr("failure  vectors.zero"));
    EXPECT_THAT(safe.out, HasSubstr("decant doctor --fix --yes, to remove these vectors"));
    EXPECT_THAT(safe.out, HasSubstr("1 mended"));
    EXPECT_EQ(with.value("SELECT count(embedding) FROM products"), "60");
    const Outcome all = run(with, {"--fix", "--yes", "--json"});
    EXPECT_EQ(all.exit_code, 0) << all.told();
    EXPECT_EQ(all.json().at("failures"), 0);
    EXPECT_EQ(with.value("SELECT count(*) FROM products WHERE vector_norm(embedding) > 0"), "60");
}

TEST(DoctorCommand, TellsEachCheckAsJson) {
    const DoctorCase with;
    with.exec("DROP INDEX idx_products_embedding_hnsw");
    const Outcome outcome = run(with, {"--json"});
    EXPECT_EQ(outcome.exit_code, 1) << outcome.told();
    const auto answer = outcome.json();
    EXPECT_EQ(answer.at("checks").as_array().size(), operate::check_ids().size());
    for (const auto& check : answer.at("checks").as_array()) {
        if (check.at("id") != "index.present") continue;
        EXPECT_EQ(check.at("state"), "failure");
        EXPECT_EQ(check.at("fix").at("safe"), true);
        EXPECT_THAT(check.at("remedy").as_string().c_str(),
                    HasSubstr(fmt::format("-d {} -c 'CREATE INDEX CONCURRENTLY", with.database())));
    }
}

TEST(DoctorCommand, RefusesYesWithoutFix) {
    const DoctorCase with;
    const Outcome outcome = run(with, {"--yes"});
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("--yes goes with --fix"));
}

TEST(DoctorCommand, ShowsNoSecretOfItsSettings) {
    DoctorCase with;
    with.settings["DATABASE_URL"] = "postgresql://enzo:hush@127.0.0.1:1/aynux";
    with.settings["JWT_SECRET_KEY"] = "hush";
    const Settings read = Settings::from({}, with.settings);
    std::string all;
    for (const Diagnosis& diagnosis : operate::examine({.settings = read}))
        all += told(diagnosis);
    EXPECT_THAT(all, Not(HasSubstr("hush")));
}

}  // namespace
}  // namespace decant::test
