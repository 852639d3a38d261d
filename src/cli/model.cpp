#include <fmt/format.h>

#include "cli/commands.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/nearest.hpp"
#include "core/table.hpp"
#include "embed/known_models.hpp"
#include "embed/model_folder.hpp"

namespace decant::cli {
namespace {

using embed::Model;

/// What is known of a model here; "installed" is said of the embedded ones only, another provider has its own list.
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

/// Without its weights a model has no fingerprint yet.
std::string fingerprint_of(const Model& model) {
    return model.weights.empty() ? std::string{} : model.fingerprint();
}

/// A prefix ends with a blank, mostly.
std::string quoted(const std::string& prefix) {
    return prefix.empty() ? std::string{} : fmt::format("\"{}\"", prefix);
}

template <typename T>
json::value or_null(const std::optional<T>& value) {
    return value ? json::value(*value) : json::value(nullptr);
}

std::string text_of(const std::optional<double>& threshold) {
    return threshold ? fmt::format("{:.2f}", *threshold) : "-";
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
        : Command("model list", "List the known embedding models, and which are installed",
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
        for (const Model& known : embed::known_models()) {
            const Listed one = listed(known, context);
            array.push_back(json_of(one));
            table.add_row({known.name, known.provider, std::to_string(known.dimension),
                           std::to_string(known.most_tokens), installed_text(one), text_of(known.search_threshold),
                           text_of(known.similar_threshold), fingerprint_of(one.model).substr(0, 12)});
        }
        fmt::print("{}", context.json ? json_text(array) + "\n" : table.text());
        return 0;
    }
};

class ModelInfo final : public Command {
public:
    ModelInfo()
        : Command("model info", "Show what is known of an embedding model",
                  {"decant model info", "decant model info nomic-embed-text --json"}) {}
    void declare(Options& options) override {
        options.optional_positional("NAME", name_, "The model (default: the embedded one)");
    }

    int run(const Context& context) override {
        const Listed one = listed(find(), context);
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
        line("dimension", std::to_string(model.dimension));
        line("most tokens", std::to_string(model.most_tokens));
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
    const Model& find() const {
        if (!name_) return embed::known_models().front();
        std::vector<std::string> names;
        for (const Model& model : embed::known_models()) {
            if (const Model* found = embed::find_known_model(model.provider, *name_)) return *found;
            names.push_back(model.name);
        }
        const auto meant = nearest(*name_, names);
        throw Error{ErrorCode::not_found, fmt::format("There is no known model '{}'", *name_),
                    meant ? fmt::format("did you mean {}? decant model list shows them all", *meant)
                          : "decant model list shows the models"};
    }

    std::optional<std::string> name_;
};

}  // namespace

Commands make_model() {
    return commands_of<ModelList, ModelInfo>();
}

}  // namespace decant::cli
