#include "cli/commands.hpp"

#include <fmt/format.h>

#include "core/json.hpp"
#include "core/settings.hpp"
#include "core/utf8.hpp"

namespace decant::cli {
namespace {

/// None for a secret: the caller shows that it is set, never what it is.
std::optional<std::string> shown_value(const Settings& settings, const SettingSpec& setting) {
    const std::optional<std::string> value = settings.get(setting.key);
    if (value && setting.is_secret) return "***";
    return value;
}

class Config final : public Command {
public:
    Config()
        : Command("config", "Show each setting with its value and where it came from",
                  {"decant config", "decant config --json", "decant config --env-example > .env"}) {}

    void declare(Options& options) override {
        options.flag("--env-example", wants_example_, "Print a .env with every setting and its help, commented out");
        options.flag("--markdown", wants_document_, "Print the table of docs/settings.md");
    }

    int run(const Context& context) override {
        if (wants_example_) {
            fmt::print("{}", dotenv_example());
        } else if (wants_document_) {
            fmt::print("{}", settings_document());
        } else if (context.json) {
            print_json(context.settings);
        } else {
            print_text(context.settings);
        }
        return 0;
    }

private:
    static void print_text(const Settings& settings) {
        for (const SettingSpec& setting : all_settings()) {
            const std::string value = shown_value(settings, setting).value_or("-");
            fmt::print("{:<20} {:<24} {}\n", setting.key, printable(value), name_of(settings.origin(setting.key)));
        }
    }

    static void print_json(const Settings& settings) {
        json::array shown;
        for (const SettingSpec& setting : all_settings()) {
            json::object entry{{"key", setting.key}};
            const std::optional<std::string> value = shown_value(settings, setting);
            entry["value"] = value ? json::value(*value) : json::value(nullptr);
            entry["origin"] = name_of(settings.origin(setting.key));
            shown.push_back(std::move(entry));
        }
        fmt::print("{}\n", json_text(json::object{{"settings", std::move(shown)}}));
    }

    bool wants_example_ = false;
    bool wants_document_ = false;
};

}  // namespace

Commands make_config() {
    return commands_of<Config>();
}

}  // namespace decant::cli
