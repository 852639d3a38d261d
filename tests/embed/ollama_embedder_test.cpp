#include "embed/ollama_embedder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <iterator>

#include "core/error.hpp"
#include "embed/checked_embedder.hpp"
#include "tests/embed/contract.hpp"
#include "tests/support/decant_program.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/fake_ollama.hpp"

namespace decant::embed {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using test::FakeModel;
using test::FakeOllama;
using test::StandInAnswer;
using test::StandInRequest;
using testing::HasSubstr;
using testing::IsEmpty;

/// Waits for nothing.
ServerOptions options_for(const FakeOllama& server, const std::string& name = "nomic-embed-text") {
    return {.url = server.url(), .name = name, .patience = {.idle = 5s, .total = 10s, .first_pause = 1ms}};
}

using Texts = std::vector<std::string_view>;
const Texts four{"taladro", "sierra", "lija", "martillo"};

Error error_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error;
    }
    return {ErrorCode::internal, "no error", ""};
}

Error open_error(const ServerOptions& options) {
    return error_of([&] { open_ollama(options); });
}

std::string reason(const Outcome& outcome) {
    const auto* fault = std::get_if<TextFault>(&outcome);
    return fault != nullptr ? fault->reason : "";
}

/// The place of the texts that got no vector.
std::vector<std::size_t> blamed(const std::vector<Outcome>& outcomes) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (std::holds_alternative<TextFault>(outcomes[i])) places.push_back(i);
    }
    return places;
}

/// Answers /api/embed in the place of the server, `times` times.
FakeOllama::Fault fail_embed(StandInAnswer answer, int times = 1'000'000) {
    return [=, left = times](const StandInRequest& request) mutable -> std::optional<StandInAnswer> {
        if (request.target != "/api/embed" || left == 0) return std::nullopt;
        --left;
        return answer;
    };
}

FakeOllama& shared_server() {
    static FakeOllama server;
    return server;
}

INSTANTIATE_TEST_SUITE_P(Ollama, EmbedderContract,
                         testing::Values([] { return open_ollama(options_for(shared_server())); }));

TEST(Ollama, TellsWhatTheServerSaysOfTheModel) {
    FakeOllama server{{.name = "mxbai-embed-large", .dimension = 16, .context = 100}};
    const Model model = open_ollama(options_for(server, "mxbai-embed-large:latest"))->model();
    EXPECT_EQ(model.name, "mxbai-embed-large");
    EXPECT_EQ(model.weights, FakeModel{}.digest);
    EXPECT_EQ(model.dimension, 16U);
    EXPECT_EQ(model.most_tokens, 100U);
    EXPECT_EQ(model.query_prefix, "Represent this sentence for searching relevant passages: ");
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Ollama, SendsThePrefixOfTheRole) {
    FakeOllama server;
    const auto embedder = open_ollama(options_for(server));
    embedder->embed(Texts{"taladro"}, Role::passage);
    EXPECT_THAT(server.http().requests().back().body, HasSubstr(R"(["search_document: taladro"])"));
    embedder->embed(Texts{"taladro"}, Role::query);
    EXPECT_THAT(server.http().requests().back().body, HasSubstr(R"(["search_query: taladro"])"));
}

TEST(Ollama, TakesPrefixesOfAnUnknownModelFromTheSettings) {
    FakeOllama server{{.name = "ours"}};
    ServerOptions options = options_for(server, "ours");
    options.settings = {.passage_prefix = "p: ", .recipe = catalog::TextRecipe::title_first};
    const auto embedder = open_ollama(options);
    EXPECT_EQ(embedder->model().passage_prefix, "p: ");
    EXPECT_EQ(embedder->model().recipe, catalog::TextRecipe::title_first);
}

TEST(Ollama, AsksForFewerDimensionsAndRefusesMoreThanTheModelHas) {
    FakeOllama server;
    ServerOptions options = options_for(server);
    options.settings.dimension = 64;
    const auto embedder = open_ollama(options);
    EXPECT_EQ(embedder->model().dimension, 64U);
    EXPECT_EQ(embedder->embed(four, Role::passage).front().values.size(), 64U);
    options.settings.dimension = 1000;
    EXPECT_THAT(open_error(options).happened(),
                HasSubstr("has 768 dimensions, fewer than DECANT_EMBEDDING_DIMENSIONS"));
}

TEST(Ollama, SendsManyTextsInFewRequests) {
    FakeOllama server;
    const auto embedder = open_ollama(options_for(server));
    const std::vector<std::string> owned(100, "taladro percutor");
    embedder->embed(Texts{owned.begin(), owned.end()}, Role::passage);
    EXPECT_EQ(server.count("/api/embed"), 4U);
}

TEST(Ollama, BringsVectorsOfOldServersToLengthOne) {
    FakeOllama server{{.dimension = 2}};
    server.set_spoil([](const auto&, json::array& vectors) { vectors[0] = json::array{3.0, 4.0}; });
    const auto vectors = open_ollama(options_for(server))->embed(Texts{"a"}, Role::passage);
    EXPECT_THAT(vectors[0].values, testing::ElementsAre(0.6F, 0.8F));
}

TEST(Ollama, RefusesAModelThatIsNotForEmbeddings) {
    FakeOllama server{{.capabilities = {"completion", "tools"}}};
    const Error error = open_error(options_for(server));
    EXPECT_EQ(error.code(), ErrorCode::config_invalid);
    EXPECT_THAT(error.happened(), HasSubstr("is none for embeddings; it does: completion, tools"));
}

TEST(Ollama, RefusesAServerThatIsNoOllama) {
    FakeOllama server;
    for (const StandInAnswer& answer :
         {StandInAnswer{.status = 404, .body = "404 page not found"}, StandInAnswer{.body = R"({"data":[]})"}}) {
        server.set_fault([=](const StandInRequest&) { return answer; });
        const Error error = open_error(options_for(server));
        EXPECT_EQ(error.code(), ErrorCode::config_invalid);
        EXPECT_THAT(error.happened(), HasSubstr("answers, but not as that API does"));
    }
}

// E1

TEST(OllamaFault, E1_SaysHowToStartAServerThatIsDown) {
    ServerOptions options;
    {
        const FakeOllama server;
        options = options_for(server);
    }
    const Error error = open_error(options);
    EXPECT_EQ(error.code(), ErrorCode::embedder_unavailable);
    EXPECT_TRUE(error.is_retryable());
    EXPECT_THAT(error.remedy(), HasSubstr("ollama serve"));
}

TEST(OllamaFault, E1_BlamesNoTextForAServerThatGoesDownMidBatch) {
    auto server = std::make_unique<FakeOllama>();
    const auto embedder = open_ollama(options_for(*server));
    server.reset();
    EXPECT_EQ(error_of([&] { CheckedEmbedder{*embedder}.embed(four, Role::passage); }).code(),
              ErrorCode::embedder_unavailable);
}

TEST(OllamaFault, E1_GetsOverAConnectionThatIsCut) {
    FakeOllama server;
    const auto embedder = open_ollama(options_for(server));
    server.set_fault(fail_embed({.body = std::string(1000, '['), .cut_after = 400}, 2));
    EXPECT_EQ(embedder->embed(four, Role::passage).size(), 4U);
}

// E2

std::size_t open_files() {
    const std::filesystem::directory_iterator files{"/proc/self/fd"};
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST(OllamaFault, E2_GivesUpAServerThatHangsAndKeepsNothingOfIt) {
    FakeOllama server;
    ServerOptions options = options_for(server);
    options.patience = {.idle = 5s, .total = 20ms, .first_pause = 1ms, .tries = 1};
    const auto embedder = open_ollama(options);
    const std::size_t before = open_files();
    for (const StandInAnswer& hang :
         {StandInAnswer{.is_withheld = true}, StandInAnswer{.body = "{}", .cut_after = 0, .is_withheld = true}}) {
        server.set_fault(fail_embed(hang));
        for (int i = 0; i < 50; ++i)
            EXPECT_EQ(error_of([&] { embedder->embed(four, Role::passage); }).code(), ErrorCode::timed_out);
    }
    // The stand-in's end of the last connections closes a moment later.
    EXPECT_LE(open_files(), before + 8);
    server.set_fault({});
    EXPECT_EQ(embedder->embed(four, Role::passage).size(), 4U);
}

// E3

struct Spoilt {
    std::string name;
    FakeOllama::Spoil spoil;
    std::string blames;
};

class OllamaSpoilt : public testing::TestWithParam<Spoilt> {};

/// Where the answer holds "sierra", spoils it.
TEST_P(OllamaSpoilt, E3_BlamesOnlyTheTextWhoseVectorIsBad) {
    FakeOllama server{{.dimension = 8}};
    server.set_spoil([](const std::vector<std::string>& texts, json::array& vectors) {
        if (std::ranges::find(texts, "search_document: sierra") != texts.end()) GetParam().spoil(texts, vectors);
    });
    const auto embedder = open_ollama(options_for(server));
    const auto outcomes = CheckedEmbedder{*embedder}.embed(four, Role::passage);
    EXPECT_THAT(blamed(outcomes), testing::ElementsAre(1U));
    EXPECT_THAT(reason(outcomes[1]), HasSubstr(GetParam().blames));
}

json::array& at_sierra(const std::vector<std::string>& texts, json::array& vectors) {
    const auto place = std::ranges::find(texts, "search_document: sierra") - texts.begin();
    return vectors[static_cast<std::size_t>(place)].as_array();
}

INSTANTIATE_TEST_SUITE_P(
    , OllamaSpoilt,
    testing::Values(
        Spoilt{"WrongDimension", [](auto& texts, auto& vectors) { at_sierra(texts, vectors).pop_back(); },
               "its vector has 7 dimensions, not 8"},
        Spoilt{"Null", [](auto& texts, auto& vectors) { at_sierra(texts, vectors)[3] = nullptr; }, "not finite"},
        Spoilt{"TextForNumber", [](auto& texts, auto& vectors) { at_sierra(texts, vectors)[3] = "NaN"; }, "not finite"},
        Spoilt{"Zero",
               [](auto& texts, auto& vectors) {
                   for (json::value& value : at_sierra(texts, vectors))
                       value = 0.0;
               },
               "its vector is zero"},
        Spoilt{"Partial", [](auto&, auto& vectors) { vectors.pop_back(); }, "0 vectors for 1 text"},
        Spoilt{"Empty", [](auto&, auto& vectors) { vectors.clear(); }, "0 vectors for 1 text"},
        Spoilt{"Extra", [](auto&, auto& vectors) { vectors.push_back(vectors[0]); }, "2 vectors for 1 text"}),
    [](const auto& one) { return one.param.name; });

TEST(OllamaFault, E3_AsksAgainForTextsThatShareAVector) {
    FakeOllama server{{.dimension = 8}};
    server.set_spoil([](const auto&, json::array& vectors) {
        for (json::value& vector : vectors)
            vector = vectors[0];
    });
    const auto embedder = open_ollama(options_for(server));
    EXPECT_THAT(blamed(CheckedEmbedder{*embedder}.embed(four, Role::passage)), IsEmpty());
    EXPECT_EQ(server.count("/api/embed"), 7U) << "4, 2 + 2, one by one";
}

TEST(OllamaFault, E3_BlamesTheTextWhoseVectorTheServerCannotWrite) {
    FakeOllama server;
    const auto embedder = open_ollama(options_for(server));
    for (const StandInAnswer& answer :
         {StandInAnswer{.status = 500, .body = R"({"error":"json: unsupported value: NaN"})"},
          StandInAnswer{.body = R"({"embeddings":[[0.5,NaN]]})"}}) {
        server.set_fault([=](const StandInRequest& request) -> std::optional<StandInAnswer> {
            if (request.target != "/api/embed" || request.body.find("sierra") == std::string::npos) return std::nullopt;
            return answer;
        });
        EXPECT_THAT(blamed(CheckedEmbedder{*embedder}.embed(four, Role::passage)), testing::ElementsAre(1U));
    }
}

TEST(OllamaFault, E3_TakesAPageInThePlaceOfJsonForAnOutage) {
    FakeOllama server;
    const auto embedder = open_ollama(options_for(server));
    server.set_fault(fail_embed({.body = "<html>Bad gateway</html>"}));
    const Error error = error_of([&] { CheckedEmbedder{*embedder}.embed(four, Role::passage); });
    EXPECT_EQ(error.code(), ErrorCode::embedder_unavailable);
    EXPECT_THAT(error.happened(), HasSubstr("no JSON"));
    EXPECT_EQ(server.count("/api/embed"), 4U) << "tries";
}

TEST(OllamaFault, E3_TakesAnErrorWithStatus200ForAnError) {
    FakeOllama server;
    const auto embedder = open_ollama(options_for(server));
    server.set_fault(fail_embed({.body = R"({"error":"llama runner process no longer running"})"}));
    const Error error = error_of([&] { CheckedEmbedder{*embedder}.embed(four, Role::passage); });
    EXPECT_EQ(error.code(), ErrorCode::embedder_unavailable);
    EXPECT_THAT(error.happened(), HasSubstr("runner process no longer running"));
}

// E4

TEST(OllamaFault, E4_SaysHowToPullAModelThatIsMissing) {
    FakeOllama server;
    server.remove("nomic-embed-text");
    const Error error = open_error(options_for(server));
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.happened(), HasSubstr("has no model 'nomic-embed-text'"));
    EXPECT_EQ(error.remedy(),
              "ollama pull nomic-embed-text (or decant model pull nomic-embed-text); if it is being pulled, wait");
}

TEST(OllamaFault, E4_SaysItOfAModelThatIsRemovedMeanwhileInAnyWords) {
    FakeOllama server;
    const auto embedder = open_ollama(options_for(server));
    for (const std::string words : {R"({"error":"model \"nomic-embed-text\" not found, try pulling it first"})",
                                    R"({"error":"model 'nomic-embed-text' not found"})"}) {
        server.set_fault(fail_embed({.status = 404, .body = words}));
        const Error error = error_of([&] { CheckedEmbedder{*embedder}.embed(four, Role::passage); });
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_THAT(error.remedy(), HasSubstr("ollama pull nomic-embed-text"));
    }
}

TEST(OllamaFault, E4_WaitsForPlaceInTheServersQueue) {
    FakeOllama server;
    const auto embedder = open_ollama(options_for(server));
    const StandInAnswer full{.status = 503,
                             .body = R"({"error":"server busy, please try again. maximum pending requests exceeded"})"};
    server.set_fault(fail_embed(full, 2));
    EXPECT_EQ(embedder->embed(four, Role::passage).size(), 4U);
    server.set_fault(fail_embed(full));
    const Error error = error_of([&] { CheckedEmbedder{*embedder}.embed(four, Role::passage); });
    EXPECT_EQ(error.code(), ErrorCode::overloaded);
    EXPECT_TRUE(error.is_retryable());
}

// E5

TEST(OllamaFault, E5_TellsAModelOfTheSameNameByItsWeights) {
    FakeOllama server;
    const auto before = open_ollama(options_for(server));
    const auto old = before->embed(four, Role::passage).front();
    server.put({.digest = std::string(64, 'b'), .weights = "two"});
    const auto after = open_ollama(options_for(server));
    EXPECT_NE(after->model().fingerprint(), before->model().fingerprint());
    EXPECT_NE(after->embed(four, Role::passage).front().values, old.values);
}

// E6

/// Words of one token each.
std::string words(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += (i == 0 ? "" : " ") + std::string{"ñ"} + static_cast<char>('a' + i % 26);
    return text;
}

TEST(OllamaFault, E6_CutsATextThatIsTooLongAtAWordAndCountsWhatItCut) {
    FakeOllama server{{.context = 200}};
    const auto embedder = open_ollama(options_for(server));
    const std::string fitting = words(150);
    const std::string longer = words(1000);
    const auto vectors = embedder->embed(Texts{fitting, longer, "corto"}, Role::passage);
    EXPECT_EQ(vectors[0].cut_tokens, 0U);
    EXPECT_EQ(vectors[2].cut_tokens, 0U);
    EXPECT_NEAR(static_cast<double>(vectors[1].cut_tokens), 1000 - 190, 40);
    EXPECT_LE(server.count("/api/embed"), 10U);
    bool was_cut_at_a_word = false;
    for (std::size_t kept = 170; kept <= 194; ++kept) {
        const auto head = embedder->embed(Texts{words(kept)}, Role::passage).front();
        was_cut_at_a_word = was_cut_at_a_word || head.values == vectors[1].values;
    }
    EXPECT_TRUE(was_cut_at_a_word);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(OllamaFault, E6_CutsWhereTheServerTakesLessThanItsModel) {
    FakeOllama server{{.context = 60}};
    server.put({.context = 60});
    const auto embedder = [&] {
        const auto shown =
            R"({"model_info":{"general.architecture":"b","b.embedding_length":768,"b.context_length":4096}})";
        server.set_fault([=](const StandInRequest& request) -> std::optional<StandInAnswer> {
            if (request.target != "/api/show") return std::nullopt;
            return StandInAnswer{.body = shown};
        });
        return open_ollama(options_for(server));
    }();
    const std::string longer = words(1000);
    const auto vectors = embedder->embed(Texts{longer}, Role::passage);
    EXPECT_NEAR(static_cast<double>(vectors[0].cut_tokens), 1000 - 52, 100);
}

TEST(OllamaFault, E6_CutsTextsWithoutBlanksAtACharacter) {
    FakeOllama server{{.context = 100}};
    const auto embedder = open_ollama(options_for(server));
    std::string text;
    for (int i = 0; i < 500; ++i)
        text += "漢";
    EXPECT_GT(embedder->embed(Texts{text}, Role::passage).front().cut_tokens, 0U);
    for (const StandInRequest& request : server.http().requests())
        EXPECT_EQ(request.body.find("\xEF\xBF\xBD"), std::string::npos) << "half a character";
}

TEST(OllamaFault, E6_KnowsTheErrorOfOldServersWithoutTryingAgain) {
    FakeOllama server;
    const auto embedder = open_ollama(options_for(server));
    server.set_fault([](const StandInRequest& request) -> std::optional<StandInAnswer> {
        if (request.target != "/api/embed" || request.body.size() < 500) return std::nullopt;
        return StandInAnswer{.status = 500, .body = R"({"error":"the input length exceeds the context length"})"};
    });
    const std::string longer = words(300);
    EXPECT_GT(embedder->embed(Texts{longer}, Role::passage).front().cut_tokens, 0U);
    EXPECT_LE(server.count("/api/embed"), 8U);
}

TEST(OllamaFault, E6_BlamesATextThatDoesNotFitHoweverItIsCut) {
    FakeOllama server;
    const auto embedder = open_ollama(options_for(server));
    server.set_fault([](const StandInRequest& request) -> std::optional<StandInAnswer> {
        if (request.target != "/api/embed" || request.body.find("aaaa") == std::string::npos) return std::nullopt;
        return StandInAnswer{.status = 400, .body = R"({"error":"the input length exceeds the context length"})"};
    });
    const std::string bad(5000, 'a');
    const Texts texts{"taladro", bad, "lija"};
    const auto outcomes = CheckedEmbedder{*embedder}.embed(texts, Role::passage);
    EXPECT_THAT(blamed(outcomes), testing::ElementsAre(1U));
    EXPECT_THAT(reason(outcomes[1]), HasSubstr("longer than the model takes"));
}

// Pulling

TEST(OllamaPull, FetchesAModelToItsEndAndTellsHowFarItIs) {
    FakeOllama server{{.name = "other"}};
    server.publish({});
    std::vector<std::uint64_t> steps;
    pull_ollama(options_for(server), [&](std::uint64_t done, std::uint64_t total) {
        if (total != 0) steps.push_back(done * 100 / total);
    });
    EXPECT_THAT(steps, testing::IsSupersetOf({0U, 36U, 100U}));
    EXPECT_EQ(open_ollama(options_for(server))->model().dimension, 768U);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(OllamaPull, TakesAnErrorInTheStreamForTheError) {
    FakeOllama server;
    const Error error = error_of([&] { pull_ollama(options_for(server, "nomic"), [](auto, auto) {}); });
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_THAT(error.happened(), HasSubstr("did not pull 'nomic': pull model manifest: file does not exist"));
}

TEST(OllamaPull, EndsCleanlyWhenItIsInterrupted) {
    FakeOllama server;
    server.remove("nomic-embed-text");
    server.set_fault([](const StandInRequest& request) -> std::optional<StandInAnswer> {
        if (request.target != "/api/pull") return std::nullopt;
        const std::string line = R"({"status":"pulling manifest"})";
        return StandInAnswer{.body = line + "\n{}", .cut_after = line.size() + 1, .is_withheld = true};
    });
    const test::DecantProgram decant{""};
    auto pull = decant.start({"model", "pull"}, {"OLLAMA_API_URL=" + server.url()});
    ASSERT_TRUE(test::eventually(10s, [&] { return server.count("/api/pull") == 1; }));
    pull.signal(SIGINT);
    const test::Outcome outcome = pull.wait();
    EXPECT_EQ(outcome.exit_code, 130) << outcome.told();
    EXPECT_THAT(outcome.err, HasSubstr("Interrupted while Ollama"));
}

TEST(OllamaPull, IsNotDoneWithoutItsLastLine) {
    FakeOllama server;
    for (const std::string chunk : {"{\"status\":\"pulling manifest\"}\n", "<html>", ""}) {
        server.set_fault([=](const StandInRequest&) { return StandInAnswer{.chunks = {chunk + "\n"}}; });
        const Error error = error_of([&] { pull_ollama(options_for(server), [](auto, auto) {}); });
        EXPECT_EQ(error.code(), ErrorCode::embedder_unavailable) << chunk;
    }
}

}  // namespace
}  // namespace decant::embed
