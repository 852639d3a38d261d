#include "cli/commands.hpp"

#include <fmt/format.h>

#include "cli/confirm.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/quantity_text.hpp"
#include "core/split_list.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "operate/shard_copy.hpp"
#include "store/database_address.hpp"

namespace decant::cli {
namespace {

class SchemaShard final : public Command {
public:
    SchemaShard()
        : Command("schema shard", "Copy the catalog's vectors over several servers, for search",
                  {"decant schema shard --servers postgresql://10.0.0.2/shop,postgresql://10.0.0.3/shop --dry-run",
                   "decant schema shard", "decant schema shard --drop"}) {}
    void declare(Options& options) override {
        options.setting(
            "--servers", "SHARD_SERVERS",
            "URLs, with commas, each with a database of its own (default: SHARD_SERVERS; better there, or in "
            "SHARD_SERVERS_FILE, where they hold passwords)");
        options.flag("--dry-run", is_dry_, "Look at all servers and show what would be copied; change nothing");
        options.number("--ef-search", ef_search_, "hnsw.ef_search of the shards (default: 200)");
        options.flag("--drop", is_drop_, "Remove the copy");
        options.flag("--yes", is_confirmed_, "Do not ask whether to remove it");
    }

    int run(const Context& context) override {
        catch_interrupts();
        operate::ShardRequest request{.conninfo = store::resolve_database(context.settings).conninfo,
                                      .servers = servers(context.settings),
                                      .ef_search = checked_ef_search(),
                                      .is_dry = is_dry_,
                                      .on_step = [](const std::string& told) { log::info("{}", printable(told)); },
                                      .may_go_on = [] { return !interrupted(); }};
        if (is_drop_) return drop(context, request);
        const operate::ShardReport report = operate::make_sharded_copy(request);
        if (context.json)
            print_json(report);
        else
            print_text(report);
        return 0;
    }

private:
    static std::vector<std::string> servers(const Settings& settings) {
        std::vector<std::string> urls;
        const std::string text = settings.get("SHARD_SERVERS").value_or("");
        for (const std::string_view url : split_list(text, ",\n"))
            urls.emplace_back(url);
        return urls;
    }

    std::uint64_t checked_ef_search() const {
        constexpr std::uint64_t most = 1'000;
        const std::uint64_t value = ef_search_.value_or(200);
        if (value >= 1 && value <= most) return value;
        throw Error{ErrorCode::request_malformed, fmt::format("--ef-search takes 1 to {}, not {}", most, value),
                    "Write it like --ef-search 200."};
    }

    int drop(const Context& context, const operate::ShardRequest& request) const {
        if (!is_confirmed_ && !confirm("schema shard --drop removes the sharded copy; the catalog itself stays",
                                       "decant schema shard --drop"))
            return 1;
        const bool was_there = operate::drop_sharded_copy(request);
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"dropped", was_there}}));
        } else {
            fmt::print("{}\n", was_there ? "the sharded copy is removed" : "there was no sharded copy");
            if (request.servers.empty())
                fmt::print("what it left on the shards stays until they are named: --servers or SHARD_SERVERS\n");
        }
        return 0;
    }

    void print_json(const operate::ShardReport& report) const {
        json::array shards;
        for (const operate::ShardReport::Shard& shard : report.shards)
            shards.push_back(json::object{{"address", shard.address}, {"rows", shard.rows}, {"bytes", shard.bytes}});
        fmt::print("{}\n", json_text(json::object{{"dry_run", is_dry_},
                                                  {"rows", report.rows},
                                                  {"model", report.model},
                                                  {"dimension", report.dimension},
                                                  {"shards", std::move(shards)}}));
    }

    void print_text(const operate::ShardReport& report) const {
        Table rows{{{"shard"}, {"server"}, {"products", Table::Align::right}, {"size", Table::Align::right}}};
        for (std::size_t i = 0; i < report.shards.size(); ++i) {
            const operate::ShardReport::Shard& shard = report.shards[i];
            rows.add_row({std::to_string(i + 1), printable(shard.address), grouped(shard.rows),
                          fmt::format("{}{}", is_dry_ ? "about " : "", bytes_text(shard.bytes))});
        }
        fmt::print("{}\n", rows.text());
        fmt::print("{} {} products, {}-d vectors of {}\n", is_dry_ ? "Would copy" : "Copied", grouped(report.rows),
                   report.dimension, printable(report.model));
        if (!is_dry_) fmt::print("Search it with --sharded, or with SHARD_SEARCH=true.\n");
    }

    std::optional<std::uint64_t> ef_search_;
    bool is_dry_ = false;
    bool is_drop_ = false;
    bool is_confirmed_ = false;
};

}  // namespace

Commands make_shard() {
    return commands_of<SchemaShard>();
}

}  // namespace decant::cli
