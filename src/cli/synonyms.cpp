#include "cli/commands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "catalog/synonym_groups.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/read_file.hpp"
#include "core/utf8.hpp"
#include "store/database_address.hpp"
#include "store/synonym_store.hpp"

namespace decant::cli {
namespace {

using store::SynonymGroup;
using store::SynonymStore;

constexpr FileToRead synonym_file{
    .what = "file of synonyms", .most_bytes = 16UL << 20U, .remedy = "Split it, as in: split -C 10M FILE."};

pg::Connection connect(const Context& context) {
    return pg::Connection::open(store::resolve_database(context.settings).conninfo);
}

std::string shown(const SynonymGroup& group) {
    return printable(fmt::format("{}", fmt::join(group, " = ")));
}

json::array json_of(const SynonymGroup& group) {
    json::array words;
    for (const std::string& word : group)
        words.emplace_back(word);
    return words;
}

json::object json_of(const SynonymStore::Added& added) {
    return {{"group", json_of(added.group)},
            {"added", added.words},
            {"joined_groups", added.joined > 1 ? added.joined : 0}};
}

class SynonymsAdd final : public Command {
public:
    SynonymsAdd()
        : Command("synonyms add", "Say that words mean the same to a search by words",
                  {"decant synonyms add notebook laptop portátil",
                   "decant synonyms add 'placa de video' 'tarjeta gráfica' gpu"}) {}
    void declare(Options& options) override {
        options.required_positionals(
            "WORD", words_, "Words and phrases of up to 4 words; of a group that is there already, any of its words");
    }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        const SynonymStore::Added added = SynonymStore{db}.add(words_);
        if (context.json)
            fmt::print("{}\n", json_text(json_of(added)));
        else
            fmt::print("{}\n", shown(added.group));
        return 0;
    }

private:
    std::vector<std::string> words_;
};

class SynonymsList final : public Command {
public:
    SynonymsList()
        : Command("synonyms list", "Show the words that mean the same, one group a line, as synonyms load reads them",
                  {"decant synonyms list", "decant synonyms list --json", "decant synonyms list > synonyms.txt"}) {}

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        json::array out;
        for (const SynonymGroup& group : SynonymStore{db}.list()) {
            if (context.json)
                out.push_back(json_of(group));
            else
                fmt::print("{}\n", shown(group));
        }
        if (context.json) fmt::print("{}\n", json_text(json::object{{"groups", std::move(out)}}));
        return 0;
    }
};

class SynonymsRemove final : public Command {
public:
    SynonymsRemove() : Command("synonyms remove", "Take a word out of its group", {"decant synonyms remove cooler"}) {}
    void declare(Options& options) override {
        options.required_positional("WORD", word_, "A word or phrase of `decant synonyms list`");
    }

    int run(const Context& context) override {
        pg::Connection db = connect(context);
        const SynonymStore::Removed removed = SynonymStore{db}.remove(word_);
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"removed", removed.word}, {"group", json_of(removed.left)}}));
            return 0;
        }
        fmt::print("removed    {}\n", printable(removed.word));
        fmt::print("left       {}\n", removed.left.empty() ? "nothing of its group" : shown(removed.left));
        return 0;
    }

private:
    std::string word_;
};

class SynonymsLoad final : public Command {
public:
    SynonymsLoad()
        : Command("synonyms load", "Add groups from a file: one a line, words divided by commas or equals signs",
                  {"decant synonyms load synonyms.txt", "decant synonyms load - < synonyms.txt"}) {}
    void declare(Options& options) override {
        options.required_positional("FILE", file_, "The file, or - for standard input; # starts a comment");
    }

    int run(const Context& context) override {
        const std::vector<catalog::SynonymLine> lines = catalog::read_synonyms(read_file(file_, synonym_file));
        std::vector<SynonymGroup> groups;
        std::vector<const catalog::SynonymLine*> bad;
        for (const catalog::SynonymLine& line : lines) {
            if (line.fault)
                bad.push_back(&line);
            else
                groups.push_back(line.words);
        }
        pg::Connection db = connect(context);
        std::size_t words = 0;
        for (const SynonymStore::Added& added : SynonymStore{db}.add_all(groups))
            words += added.words;
        report(context, groups.size(), words, bad);
        return bad.empty() ? 0 : 1;
    }

private:
    static void report(const Context& context, std::size_t groups, std::size_t words,
                       const std::vector<const catalog::SynonymLine*>& bad) {
        if (context.json) {
            json::array rejected;
            for (const catalog::SynonymLine* line : bad)
                rejected.push_back(json::object{{"line", line->line}, {"reason", *line->fault}});
            fmt::print("{}\n", json_text(json::object{
                                   {"groups", groups}, {"words_added", words}, {"rejected", std::move(rejected)}}));
            return;
        }
        fmt::print("groups     {}\nnew words  {}\nrejected   {}\n", groups, words, bad.size());
        for (const catalog::SynonymLine* line : bad)
            log::warning("line {}: {}", line->line, *line->fault);
    }

    std::string file_;
};

}  // namespace

Commands make_synonyms() {
    return commands_of<SynonymsAdd, SynonymsList, SynonymsRemove, SynonymsLoad>();
}

}  // namespace decant::cli
