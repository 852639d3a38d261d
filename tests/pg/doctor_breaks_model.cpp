#include "core/error.hpp"
#include "tests/pg/doctor_case.hpp"

namespace decant::test {
namespace {

constexpr auto failure = operate::CheckState::failure;
constexpr auto warning = operate::CheckState::warning;
constexpr auto mends = Break::Mending::offered_and_done;

/// `decant model change other`, which dies at the failpoint, if one is given.
void change_model(DoctorCase& with, const std::string& failpoint = {}) {
    with.ollama.put({.name = "other", .digest = "d2", .weights = "two", .dimension = 8});
    std::vector<std::string> environment{"OLLAMA_API_URL=" + with.ollama.url(), "OLLAMA_API_MODEL_EMBEDDING=small"};
    if (!failpoint.empty()) environment.push_back("DECANT_FAILPOINT=" + failpoint + ":1");
    const Outcome outcome = with.decant().run({"model", "change", "other"}, environment);
    if (outcome.exit_code != (failpoint.empty() ? 0 : 137)) throw std::runtime_error(outcome.told());
}

std::function<void(DoctorCase&)> changed_and(const std::string& sql) {
    return [sql](DoctorCase& with) {
        change_model(with);
        if (!sql.empty()) with.exec(sql);
    };
}

}  // namespace

std::vector<Break> model_breaks() {
    return {
        {"model.column",
         changed_and(R"(COMMENT ON COLUMN products.embedding IS '{"by":"decant","provider":"ollama","model":"other",)"
                     R"("dimension":16}')"),
         failure, "of 'other' (ollama, 16 dimensions), and is vector(8)",
         "COMMENT ON COLUMN products.embedding IS NULL", mends},
        {"model.settings",
         [](DoctorCase& with) {
             change_model(with);
             with.settings.erase("CHROMA_PATH");
         },
         warning, "The settings name small (ollama), which nothing heeds: the catalog's vectors are of other (ollama)",
         "DECANT_EMBEDDING_MODEL=other"},
        {"model.change", [](DoctorCase& with) { change_model(with, "model.batch_committed"); }, warning,
         "A change to 'other' was left, with 60 of 60 products embedded", "decant model forget"},
        {"model.kept", changed_and("DROP TRIGGER trigger_update_embedding_version_second ON products"), failure,
         "The trigger that marks vectors of 'small' when their text changes is gone", "decant doctor --fix", mends},
        {"model.kept", changed_and("DROP INDEX idx_products_embedding_hnsw_second"), warning,
         "The vectors of 'small', which are kept for a rollback, have no index", "decant reindex"},
    };
}

}  // namespace decant::test
