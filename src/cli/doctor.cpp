#include "operate/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "cli/commands.hpp"
#include "cli/confirm.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/utf8.hpp"

namespace decant::cli {
namespace {

using operate::CheckState;
using operate::Diagnosis;

struct Counts {
    std::array<std::uint64_t, 4> of_state{};
    std::uint64_t mended = 0;

    std::uint64_t operator[](CheckState state) const noexcept { return of_state[static_cast<std::size_t>(state)]; }
};

Counts count(const std::vector<Diagnosis>& all) {
    Counts counts;
    for (const Diagnosis& diagnosis : all) {
        ++counts.of_state[static_cast<std::size_t>(diagnosis.finding.state)];
        counts.mended += diagnosis.is_mended() ? 1U : 0U;
    }
    return counts;
}

class Doctor final : public Command {
public:
    Doctor()
        : Command("doctor", "Look for what is wrong, or soon will be, and how to mend it; exit 1 on a failure",
                  {"decant doctor", "decant doctor --json", "decant doctor --fix", "decant doctor --fix --yes"}) {}
    void declare(Options& options) override {
        options.flag("--fix", fixes_, "Mend what is safe to mend, and ask for the rest");
        options.flag("--yes", is_confirmed_, "With --fix: do not ask");
    }

    int run(const Context& context) override {
        if (is_confirmed_ && !fixes_)
            throw Error{ErrorCode::request_invalid, "--yes goes with --fix", "Run decant doctor --fix --yes."};
        catch_interrupts();
        operate::DoctorRequest request{.settings = context.settings};
        if (fixes_) request.may_mend = [this](const Diagnosis& diagnosis) { return may_mend(diagnosis); };
        if (!context.json) request.on_checked = [this](const Diagnosis& diagnosis) { print(diagnosis); };
        const std::vector<Diagnosis> all = operate::examine(request);
        const Counts counts = count(all);
        if (context.json)
            print_json(all, counts);
        else
            fmt::print("\n{} ok, {} warnings, {} failures, {} skipped{}\n", counts[CheckState::ok],
                       counts[CheckState::warning], counts[CheckState::failure], counts[CheckState::skipped],
                       fixes_ ? fmt::format("; {} mended", counts.mended) : "");
        return counts[CheckState::failure] == 0 ? 0U : 1U;
    }

private:
    bool may_mend(const Diagnosis& diagnosis) const {
        const operate::Mend& mend = *diagnosis.finding.mend;
        if (mend.is_safe || is_confirmed_) return true;
        if (isatty(STDIN_FILENO) == 0) return false;
        return confirm(fmt::format("{}: {}. This would {}", diagnosis.id, diagnosis.finding.found, mend.what),
                       "decant doctor --fix");
    }

    void print(const Diagnosis& diagnosis) const {
        const operate::Finding& finding = diagnosis.finding;
        const auto line = [](std::string_view label, const std::string& text) {
            if (!text.empty()) fmt::print("         {:<4} {}\n", label, printable(text));
        };
        fmt::print("{:<8} {:<22} {}\n", diagnosis.is_mended() ? "mended" : operate::check_state_names[finding.state],
                   diagnosis.id, printable(diagnosis.is_mended() ? diagnosis.before->found : finding.found));
        if (diagnosis.is_mended()) line("now", finding.found);
        line("fail", diagnosis.mending_failed);
        if (finding.state == CheckState::warning || finding.state == CheckState::failure) {
            line("why", std::string{diagnosis.why});
            line("do", finding.remedy);
            if (finding.mend)
                line("or", fmt::format("decant doctor --fix{}, to {}", finding.mend->is_safe ? "" : " --yes",
                                       finding.mend->what));
        }
        std::fflush(stdout);
    }

    static void print_json(const std::vector<Diagnosis>& all, const Counts& counts) {
        json::array checks;
        for (const Diagnosis& diagnosis : all)
            checks.push_back(json_of(diagnosis));
        fmt::print("{}\n", json_text(json::object{{"checks", std::move(checks)},
                                                  {"ok", counts[CheckState::ok]},
                                                  {"warnings", counts[CheckState::warning]},
                                                  {"failures", counts[CheckState::failure]},
                                                  {"skipped", counts[CheckState::skipped]},
                                                  {"mended", counts.mended}}));
    }

    bool fixes_ = false;
    bool is_confirmed_ = false;
};

}  // namespace

Commands make_doctor() {
    return commands_of<Doctor>();
}

}  // namespace decant::cli
