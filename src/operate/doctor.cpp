#include "operate/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "operate/detail/check.hpp"

namespace decant::operate {
namespace {

using detail::Check;
using detail::Examination;

/// In an order in which what one mends is there for those after it.
const std::vector<Check>& all_checks() {
    static const std::vector<Check> all = [] {
        std::vector<Check> checks;
        for (const auto theme :
             {detail::server_checks, detail::pgvector_checks, detail::schema_checks, detail::rights_checks,
              detail::embedder_checks, detail::index_checks, detail::vectors_checks, detail::model_checks,
              detail::upkeep_checks, detail::memory_checks, detail::chroma_checks, detail::settings_checks}) {
            std::ranges::copy(theme(), std::back_inserter(checks));
        }
        return checks;
    }();
    return all;
}

Finding look(const Check& check, Examination& patient) {
    try {
        return check.look(patient);
    } catch (const Error& error) {
        return detail::skipped(error.happened(), error.remedy());
    } catch (const std::exception& error) {
        return detail::skipped(error.what());
    }
}

void mend(const Check& check, Examination& patient, Diagnosis& diagnosis) {
    diagnosis.before = diagnosis.finding;
    try {
        diagnosis.finding.mend->run();
        patient.forget();
    } catch (const std::exception& error) {
        diagnosis.mending_failed = error.what();
    }
    diagnosis.finding = look(check, patient);
}

}  // namespace

std::vector<Diagnosis> examine(const DoctorRequest& request) {
    Examination patient{request};
    std::vector<Diagnosis> all;
    for (const Check& check : all_checks()) {
        if (interrupted())
            throw Error{ErrorCode::cancelled, fmt::format("Interrupted before the check {}", check.id),
                        "Run the same command again; what is mended stays so."};
        Diagnosis& diagnosis =
            all.emplace_back(Diagnosis{.id = check.id, .why = check.why, .finding = look(check, patient)});
        if (diagnosis.finding.mend && request.may_mend && request.may_mend(diagnosis)) mend(check, patient, diagnosis);
        if (request.on_checked) request.on_checked(diagnosis);
    }
    return all;
}

std::vector<std::string_view> check_ids() {
    std::vector<std::string_view> ids;
    for (const Check& check : all_checks())
        ids.push_back(check.id);
    return ids;
}

json::object json_of(const Diagnosis& diagnosis) {
    const auto& [state, found, remedy, mend] = diagnosis.finding;
    json::object out{{"id", diagnosis.id},
                     {"state", check_state_names[state]},
                     {"found", found},
                     {"why", diagnosis.why},
                     {"remedy", remedy.empty() ? json::value(nullptr) : json::value(remedy)},
                     {"fix", nullptr},
                     {"mended", diagnosis.is_mended()}};
    if (mend) out["fix"] = json::object{{"does", mend->what}, {"safe", mend->is_safe}};
    if (diagnosis.before) out["before"] = diagnosis.before->found;
    if (!diagnosis.mending_failed.empty()) out["fix_failed"] = diagnosis.mending_failed;
    return out;
}

}  // namespace decant::operate
