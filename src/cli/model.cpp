#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json_members.hpp"
#include "core/log.hpp"
#include "core/nearest.hpp"
#include "core/progress.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "embed/known_models.hpp"
#include "embed/model_folder.hpp"
#include "embed/ollama_embedder.hpp"
#include "embed/open_embedder.hpp"

namespace decant::cli {
namespace {

using embed::Model;

/// What is known of a model; "installed" is said of the embedded ones, and of those of a server that was asked.
struct Listed {
    Model model;
    std::optional<bool> is_installed;
};

Listed listed(const Model& known, const Context& context) {
    if (known.provider != "local") return {known, std::nullopt};
    try {
        const auto folder = embed::find_model_folder(context.settings.get("DECANT_MODEL_DIR"));
        if (auto installed = embed::find_installed(folder, known)) return {std::move(*installed), true};
    } catch (const Error&) {
        if (context.settings.get("DECANT_MODEL_DIR")) throw;
    }
    return {known, false};
}

/// With Ollama chosen, what the server has: marked among the known ones, the others after them.
void add_server_models(std::vector<Listed>& models, const Context& context) {
    const embed::EmbedderChoice choice = embed::chosen_embedder(context.settings);
    if (choice.provider != "ollama") return;
    const embed::ServerOptions options = embed::server_options(context.settings, choice);
    std::vector<embed::OllamaModel> present;
    try {
        present = embed::list_ollama(options);
    } catch (const Error& error) {
        log::warning("{}", error.happened());
        return;
    }
    for (Listed& one : models) {
        if (one.model.provider == "ollama") one.is_installed = embed::find_ollama(present, one.model.name) != nullptr;
    }
    for (const embed::OllamaModel& each : present) {
        const auto is_it = [&](const Listed& one) {
            return one.model.provider == "ollama" && one.model.name == each.name;
        };
        if (std::ranges::none_of(models, is_it))
            models.push_back({embed::server_model("ollama", each.name, options.settings), true});
    }
}

/// Without its weights a model has no fingerprint yet.
std::string fingerprint_of(const Model& model) {
    return model.weights.empty() ? std::string{} : model.fingerprint();
}

/// A prefix ends with a blank, mostly.
std::string quoted(const std::string& prefix) {
    return prefix.empty() ? std::string{} : fmt::format("\"{}\"", prefix);
}

std::string text_of(const std::optional<double>& threshold) {
    return threshold ? fmt::format("{:.2f}", *threshold) : "-";
}

std::string text_of(std::size_t count) {
    return count == 0 ? "-" : std::to_string(count);
}

std::string installed_text(const Listed& one) {
    if (!one.is_installed) return "-";
    return *one.is_installed ? "yes" : "no";
}

json::object json_of(const Listed& one) {
    const Model& model = one.model;
    const std::string fingerprint = fingerprint_of(model);
    return {{"name", model.name},
            {"provider", model.provider},
            {"dimension", model.dimension},
            {"most_tokens", model.most_tokens},
            {"installed", or_null(one.is_installed)},
            {"passage_prefix", model.passage_prefix},
            {"query_prefix", model.query_prefix},
            {"recipe", catalog::name_of(model.recipe)},
            {"search_threshold", or_null(model.search_threshold)},
            {"similar_threshold", or_null(model.similar_threshold)},
            {"weights", model.weights.empty() ? json::value(nullptr) : json::value(model.weights)},
            {"fingerprint", fingerprint.empty() ? json::value(nullptr) : json::value(fingerprint)}};
}

class ModelList final : public Command {
public:
    ModelList()
        : Command("model list", "List the known embedding models, which are installed, and those of the Ollama server",
                  {"decant model list", "decant model list --json"}) {}

    int run(const Context& context) override {
        using Align = Table::Align;
        json::array array;
        Table table{{{"name"},
                     {"provider"},
                     {"dimension", Align::right},
                     {"tokens", Align::right},
                     {"installed"},
                     {"search", Align::right},
                     {"similar", Align::right},
                     {"fingerprint"}}};
        std::vector<Listed> models;
        for (const Model& known : embed::known_models())
            models.push_back(listed(known, context));
        add_server_models(models, context);
        for (const Listed& one : models) {
            const Model& model = one.model;
            array.push_back(json_of(one));
            table.add_row({printable(model.name), model.provider, text_of(model.dimension), text_of(model.most_tokens),
                           installed_text(one), text_of(model.search_threshold), text_of(model.similar_threshold),
                           fingerprint_of(model).substr(0, 12)});
        }
        fmt::print("{}", context.json ? json_text(array) + "\n" : table.text());
        return 0;
    }
};

class ModelInfo final : public Command {
public:
    ModelInfo()
        : Command("model info", "Show an embedding model; the server that runs it is asked",
                  {"decant model info", "decant model info nomic-embed-text --json",
                   "decant model info --embedder ollama"}) {}
    void declare(Options& options) override {
        options.optional_positional("NAME", name_, "The model (default: the configured one)");
        declare_embedder(options);
    }

    int run(const Context& context) override {
        const Listed one = find(context);
        if (context.json) {
            fmt::print("{}\n", json_text(json_of(one)));
            return 0;
        }
        const Model& model = one.model;
        const auto line = [](std::string_view label, const std::string& value) {
            fmt::print("{:<18}  {}\n", label, value.empty() ? "-" : value);
        };
        line("name", model.name);
        line("provider", model.provider);
        line("installed", installed_text(one));
        line("dimension", text_of(model.dimension));
        line("most tokens", text_of(model.most_tokens));
        line("passage prefix", quoted(model.passage_prefix));
        line("query prefix", quoted(model.query_prefix));
        line("text recipe", std::string{catalog::name_of(model.recipe)});
        line("search threshold", text_of(model.search_threshold));
        line("similar threshold", text_of(model.similar_threshold));
        line("weights", model.weights);
        line("fingerprint", fingerprint_of(model));
        return 0;
    }

private:
    Listed find(const Context& context) const {
        embed::EmbedderChoice choice = embed::chosen_embedder(context.settings);
        const std::string name = name_.value_or(choice.model);
        const bool is_on_server = choice.provider == "ollama" || choice.provider == "openai";
        // A server may have a model of the same name.
        const Model* embedded = is_on_server && name == choice.model ? nullptr : embed::find_known_model("local", name);
        if (embedded != nullptr) return listed(*embedded, context);
        if (is_on_server) {
            choice.model = name;
            return {embed::open_embedder(context.settings, choice)->model(), true};
        }
        if (choice.provider == "none" && !name_) {
            throw Error{ErrorCode::config_invalid, "No embedder is configured: DECANT_EMBEDDER is none",
                        "name a model, or set DECANT_EMBEDDER"};
        }
        return listed(known_model(name), context);
    }

    static const Model& known_model(const std::string& name) {
        std::vector<std::string> names;
        for (const Model& model : embed::known_models()) {
            if (const Model* found = embed::find_known_model(model.provider, name)) return *found;
            names.push_back(model.name);
        }
        const auto meant = nearest(name, names);
        throw Error{ErrorCode::not_found, fmt::format("There is no known model '{}'", name),
                    meant ? fmt::format("did you mean {}? decant model list shows them all", *meant)
                          : "decant model list shows the models"};
    }

    std::optional<std::string> name_;
};

class ModelPull final : public Command {
public:
    ModelPull()
        : Command("model pull", "Have the Ollama server fetch an embedding model",
                  {"decant model pull", "decant model pull bge-m3",
                   "OLLAMA_API_URL=http://gpu:11434 decant model pull nomic-embed-text"}) {}
    void declare(Options& options) override {
        options.optional_positional("NAME", name_, "The model (default: the configured one, else nomic-embed-text)");
    }

    int run(const Context& context) override {
        catch_interrupts();
        const embed::ServerOptions options = find(context.settings);
        const bool was_there = embed::find_ollama(embed::list_ollama(options), options.name) != nullptr;
        if (!was_there) pull(options);
        const Model model = embed::open_ollama(options)->model();
        if (context.json) {
            json::object out = json_of({model, true});
            out["was_there"] = was_there;
            fmt::print("{}\n", json_text(out));
        } else {
            fmt::print("{} {}: {} dimensions, digest {}\n", printable(model.name),
                       was_there ? "is there already" : "is pulled", model.dimension, model.weights.substr(0, 12));
        }
        return 0;
    }

private:
    embed::ServerOptions find(const Settings& settings) const {
        embed::EmbedderChoice choice = embed::chosen_embedder(settings);
        if (choice.provider != "ollama")
            choice = {"ollama", settings.get("OLLAMA_API_MODEL_EMBEDDING").value_or("nomic-embed-text")};
        choice.model = name_.value_or(choice.model);
        return embed::server_options(settings, choice);
    }

    static void pull(const embed::ServerOptions& options) {
        constexpr std::uint64_t megabyte = 1'000'000;
        Progress meter{"pull", "MB"};
        embed::pull_ollama(
            options, [&](std::uint64_t done, std::uint64_t total) { meter.update(done / megabyte, total / megabyte); });
        meter.finish();
    }

    std::optional<std::string> name_;
};

}  // namespace

Commands make_model() {
    return commands_of<ModelList, ModelInfo, ModelPull>();
}

}  // namespace decant::cli
