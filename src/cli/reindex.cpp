#include "operate/reindex.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/phase_meter.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/quantity_text.hpp"
#include "store/database_address.hpp"
#include "work/catalog_model.hpp"

namespace decant::cli {
namespace {

json::array names_json(const std::vector<std::string>& names) {
    return json::array(names.begin(), names.end());
}

class Reindex final : public Command {
public:
    Reindex()
        : Command(
              "reindex",
              "Build the vector index anew beside the old one, and replace that once it is proven; exit 1: it was not",
              {"decant reindex", "decant reindex --halfvec", "decant reindex --type ivfflat --recall 0.9 --json"}) {}
    void declare(Options& options) override {
        options.choice("--type", type_, {"hnsw", "ivfflat"},
                       "Kind of index (default: as it is, else hnsw; ivfflat is faster to build and slower to search)");
        options.flag("--halfvec", is_half_,
                     "Index embedding::halfvec(N): half the size, for up to 4000 dimensions (default: as it is; with "
                     "--type alone the whole vectors)");
        options.text("--recall", recall_, "Share of the true nearest that it must find (default: 0.95)");
    }

    int run(const Context& context) override {
        catch_interrupts();
        operate::ReindexRequest request{
            .conninfo = store::resolve_database(context.settings).conninfo,
            .kind = store::index_kind_names.find(type_).value_or(store::IndexKind::hnsw),
            .type = is_half_ ? pg::VectorType::halfvec : pg::VectorType::vector,
            .least_recall = recall_.empty() ? quality::least_index_recall : parse_share("--recall", recall_)};
        const operate::OperationLock lock{request.conninfo, "reindex"};
        if (type_.empty() && !is_half_) {
            pg::Connection db = pg::Connection::open(request.conninfo);
            request = operate::for_index_in_use(db, std::move(request));
        }
        operate::ReindexReport report;
        {
            PhaseMeter meter;
            const auto watch = meter.watch<operate::ReindexWatch>();
            report = operate::rebuild_index(request, lock, watch);
            if (report.is_swapped) {
                pg::Connection db = pg::Connection::open(request.conninfo);
                operate::probe_new_index(db, work::catalog_choice(context.settings, db).model, watch.note);
            }
        }
        if (context.json)
            print_json(report, request);
        else
            print_text(report, request);
        return report.is_swapped ? 0 : 1;
    }

private:
    static void print_json(const operate::ReindexReport& report, const operate::ReindexRequest& request) {
        fmt::print("{}\n", json_text(json::object{{"index", report.index},
                                                  {"definition", report.definition},
                                                  {"swapped", report.is_swapped},
                                                  {"recall", report.recall},
                                                  {"recall_wanted", request.least_recall},
                                                  {"queries", report.queries},
                                                  {"used_by_the_planner", report.is_used},
                                                  {"vectors", report.vectors},
                                                  {"bytes", report.bytes},
                                                  {"bytes_before", report.bytes_before},
                                                  {"leftovers_dropped", names_json(report.leftovers)},
                                                  {"replaced", names_json(report.replaced)},
                                                  {"resumed", report.is_resumed},
                                                  {"build_seconds", report.build_seconds},
                                                  {"proof_seconds", report.proof_seconds},
                                                  {"pause_milliseconds", report.pause_milliseconds}}));
    }

    static void print_text(const operate::ReindexReport& report, const operate::ReindexRequest& request) {
        for (const std::string& name : report.leftovers)
            fmt::print("dropped    {} (left by an interrupted build)\n", name);
        fmt::print("built      {} of {} vectors, {} (before: {}), in {:.1f} s{}\n",
                   request.type == pg::VectorType::vector
                       ? store::name_of(request.kind)
                       : fmt::format("{} in half precision", store::name_of(request.kind)),
                   grouped(report.vectors), bytes_text(report.bytes), bytes_text(report.bytes_before),
                   report.build_seconds, report.is_resumed ? " by an earlier run" : "");
        fmt::print("proven     recall@10 {:.3f} of {} queries against the exact scan (wanted: {})\n", report.recall,
                   report.queries, request.least_recall);
        if (report.is_swapped) {
            fmt::print("swapped    {}; searches waited {:.0f} ms\n", report.index, report.pause_milliseconds);
        } else if (!report.is_used) {
            fmt::print("kept       the old index: the planner does not take the new one, which is gone again\n");
        } else {
            fmt::print("kept       the old index: the new one finds too little, and is gone again\n");
        }
    }

    std::string type_;
    bool is_half_ = false;
    std::string recall_;
};

}  // namespace

Commands make_reindex() {
    return commands_of<Reindex>();
}

}  // namespace decant::cli
