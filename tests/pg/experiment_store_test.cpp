// What a report counts of an experiment's searches, of what was said of them, and of what was chosen from them.

#include "store/experiment_store.hpp"

#include "api/retention.hpp"
#include "store/feedback_store.hpp"
#include "tests/support/embedding_case.hpp"

namespace decant::test {
namespace {

using store::Feedback;

class InterleavedChoices : public testing::Test {
protected:
    InterleavedChoices() {
        store::ExperimentStore{db_}.start({.name = "words",
                                           .arms = {{"keyword", 1}, {"fusion", 1}},
                                           .mode = store::Experiment::Mode::interleave,
                                           .metric = "chosen"});
    }
    /// An answer to one of `unit`'s questions in which k1 and k2 are keyword's, f1 and f2 fusion's.
    void answer(const std::string& unit, const std::string& question, const std::string& run) const {
        with_.exec(
            fmt::format("INSERT INTO decant.search_events (kind, run_id, milliseconds, experiment, arm, unit, teams) "
                        "VALUES ('search', '{2}', 1, 'words', 'interleaved', '{0}', '{{\"toss\": \"{0} {1}\", "
                        "\"arms\": {{\"keyword\": [\"k1\", \"k2\"], \"fusion\": [\"f1\", \"f2\"]}}}}')",
                        unit, question, run));
    }
    void choose(const std::string& run, const std::string& product) {
        store::store_feedback(db_, {.subject_id = run, .caller = "shop", .product = product});
    }
    void answer_and_choose(const std::string& unit, const std::string& question, const std::string& product) {
        answer(unit, question, unit + question);
        choose(unit + question, product);
    }
    /// Wins of fusion, losses, ties.
    std::string choices() {
        store::ExperimentStore experiments{db_};
        const store::Choices choices = experiments.choices(experiments.find("words"));
        return fmt::format("{} {} {}", choices.wins, choices.losses, choices.ties);
    }

    EmbeddingCase with_;
    pg::Connection db_ = with_.open();
};

TEST_F(InterleavedChoices, AreEvenWhereOneOfEachArmIsChosenFromAnAnswer) {
    answer("ana", "mesa", "r-1");
    choose("r-1", "k1");
    EXPECT_EQ(choices(), "0 1 0");
    choose("r-1", "f2");
    EXPECT_EQ(choices(), "0 0 1");
    choose("r-1", "k2");
    EXPECT_EQ(choices(), "0 1 0");
}

TEST_F(InterleavedChoices, CountEachUnitOnceHoweverMuchItAsks) {
    for (const char* question : {"mesa", "silla", "lámpara", "sofá"})
        answer_and_choose("ana", question, "f1");
    answer_and_choose("ana", "cama", "k1");
    answer_and_choose("luis", "mesa", "k1");
    answer_and_choose("eva", "mesa", "k1");
    answer_and_choose("eva", "silla", "f1");
    EXPECT_EQ(choices(), "1 1 1");
}

TEST_F(InterleavedChoices, CountAProductOfOneQuestionOnce) {
    answer("ana", "mesa", "r-1");
    answer("ana", "mesa", "r-2");
    choose("r-1", "f1");
    choose("r-2", "f1");
    answer_and_choose("ana", "silla", "k1");
    EXPECT_EQ(choices(), "0 0 1");
}

TEST(Choices, OfBeforeTheyHadATableAreTakenOver) {
    const EmbeddingCase with;
    ASSERT_EQ(with.psql_file("013_choices.down.sql").exit_code, 0);
    with.exec(
        "INSERT INTO decant.feedback (subject, subject_id, caller, score, product_id, created_at) VALUES "
        "('run', 'r-1', 'shop', NULL, 'p', '2026-01-02'), ('run', 'r-2', 'shop', 1, NULL, now())");
    for (int time = 0; time < 2; ++time) {
        const Outcome up = with.psql_file("013_choices.sql");
        EXPECT_EQ(up.exit_code, 0) << up.err;
    }
    EXPECT_EQ(with.value("SELECT string_agg(concat_ws(' ', subject, subject_id, caller, product_id, created_at::date), "
                         "',') FROM decant.choices"),
              "run r-1 shop p 2026-01-02");
}

TEST(FeedbackRetention, RemovesWhatIsOlderThanTheSearchesButNotThatOfARunningExperiment) {
    const EmbeddingCase with;
    pg::Connection db = with.open();
    for (const char* run : {"50", "40", "10"})
        store::store_feedback(db, {.subject_id = run, .caller = "ana", .score = 0, .comment = "caro", .product = "p"});
    for (const char* table : {"feedback", "choices"})
        with.exec(
            fmt::format("UPDATE decant.{} SET created_at = now() - make_interval(days => subject_id::int)", table));
    store::ExperimentStore experiments{db};
    experiments.start({.name = "summer", .arms = {{"fusion", 1}, {"keyword", 1}}, .metric = "chosen"});
    with.exec("UPDATE decant.experiments SET started_at = now() - interval '45 days'");
    const auto prune = [&] {
        for (const store::Retained& kind : api::retained_by(Settings::from({}, {})))
            if (kind.name == "feedback") kind.prune(db);
        return with.value(
            "SELECT concat_ws(' | ', (SELECT string_agg(subject_id, ' ' ORDER BY id) FROM decant.feedback), "
            "(SELECT string_agg(subject_id, ' ' ORDER BY created_at) FROM decant.choices))");
    };
    EXPECT_EQ(prune(), "40 10 | 40 10");
    experiments.stop("summer");
    EXPECT_EQ(prune(), "10 | 10");
}

}  // namespace
}  // namespace decant::test
