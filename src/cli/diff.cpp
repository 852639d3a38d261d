#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/meter_observer.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "operate/table_diff.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

class Diff final : public Command {
public:
    Diff()
        : Command("diff", "Compare a copied table with its source as it is now; exit 1 where they differ",
                  {"decant diff products", "decant diff products --from data/vector_db --samples 50 --json"}) {}
    void declare(Options& options) override {
        options.required_positional("TABLE", table_, "Table that decant copied");
        options.text("--schema", schema_, "Schema of the table (default: public)");
        options.text("--from", from_, "Chroma directory or server (default: the directory it was copied from)");
        options.number("--samples", samples_, "Ids that are shown of each kind (default: 10)");
    }

    int run(const Context& context) override {
        catch_interrupts();
        operate::DiffRequest request{
            .conninfo = store::resolve_database(context.settings).conninfo, .table = {schema_, table_}, .source = {}};
        if (from_) request.source = chroma::source_address(context.settings, from_);
        MeterObserver observer;
        const operate::DiffReport report = operate::diff_table(request, observer);
        const std::size_t samples = samples_.value_or(10);
        if (context.json)
            fmt::print("{}\n", json_text(operate::diff_json(report, samples)));
        else
            fmt::print("{}", operate::diff_text(report, samples));
        return report.outcome.is_equal() ? 0 : 1;
    }

private:
    std::string table_;
    std::string schema_ = "public";
    std::optional<std::string> from_;
    std::optional<std::uint64_t> samples_;
};

}  // namespace

Commands make_diff() {
    return commands_of<Diff>();
}

}  // namespace decant::cli
