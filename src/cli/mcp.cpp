#include "api/mcp_stdio.hpp"
#include "api/server.hpp"
#include "cli/commands.hpp"
#include "core/interrupt.hpp"

namespace decant::cli {
namespace {

class Mcp final : public Command {
public:
    Mcp()
        : Command("mcp", "Let an AI assistant search the catalog: the Model Context Protocol over stdin and stdout",
                  {"decant mcp", "decant mcp --db postgresql://localhost/shop"}) {}
    void declare(Options& options) override { declare_embedder(options); }

    int run(const Context& context) override {
        catch_ends();
        api::Server server{context.settings, {.version = DECANT_VERSION, .runs_worker = false, .listens = false}};
        api::serve_mcp(server, {.is_end_asked = is_end_asked});
        return 0;
    }
};

}  // namespace

Commands make_mcp() {
    return commands_of<Mcp>();
}

}  // namespace decant::cli
