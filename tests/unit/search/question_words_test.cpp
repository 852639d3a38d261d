#include "search/detail/question_words.hpp"

#include <gmock/gmock.h>

namespace decant::search::detail {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> folded(std::string_view question) {
    std::vector<std::string> words;
    for (const Term& term : terms_of(question))
        words.push_back(term.folded);
    return words;
}

TEST(TermsOf, AreTheWordsOfTheQuestionEachOnce) {
    EXPECT_THAT(folded("¿Teclado MECÁNICO, teclado?"), ElementsAre("teclado", "mecanico"));
    EXPECT_THAT(folded(" - ! "), IsEmpty());
}

TEST(TermsOf, TakeANumberTogetherWithItsUnit) {
    EXPECT_THAT(folded("ram 16 GB 3200mhz"), ElementsAre("ram", "16gb", "3200mhz"));
    EXPECT_THAT(folded("monitor 27 pulgadas"), ElementsAre("monitor", "27"));
    EXPECT_THAT(folded("monitor 15,6 pulgadas"), ElementsAre("monitor", "15,6"));
}

TEST(TermsOf, TakeWhatHasAPointInItForOneWordToo) {
    const std::vector<Term> terms = terms_of("ssd m.2");
    ASSERT_EQ(terms.size(), 2U);
    EXPECT_EQ(terms[1].alternatives.front(), (Alternative{{"m.2"}}));
}

TEST(TermsOf, AreBounded) {
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += "palabra" + std::to_string(i) + " ";
    EXPECT_EQ(terms_of(many).size(), most_terms);
    EXPECT_EQ(terms_of(std::string(5'000, 'x')).front().folded.size(), most_letters);
    // Cut between characters, never in one.
    EXPECT_EQ(terms_of(std::string(most_letters - 1, 'x') + "日本").front().text, std::string(most_letters - 1, 'x'));
}

TEST(SpellingsOf, HaveTheWordWithoutAccentsAndInBothNumbers) {
    EXPECT_THAT(spellings_of("ratón"), testing::IsSupersetOf({"ratón", "raton", "ratons", "ratones"}));
    EXPECT_THAT(spellings_of("luces"), Contains("luz"));
    EXPECT_THAT(spellings_of("batteries"), Contains("battery"));
    EXPECT_THAT(spellings_of("refrigeracion"), Contains("refrigeración"));
    EXPECT_THAT(spellings_of("rtx4090"), ElementsAre("rtx4090"));
}

TEST(FormsOf, HaveThePhraseInBothNumbers) {
    EXPECT_THAT(forms_of(terms_of("placas de video")), Contains("placa de video"));
    EXPECT_THAT(forms_of(terms_of("tarjetas gráficas")), Contains("tarjeta grafica"));
    EXPECT_THAT(forms_of(terms_of("graphics cards")), Contains("graphics card"));
    EXPECT_THAT(forms_of(terms_of("unidades de estado sólido")), Contains("unidad de estado solido"));
}

TEST(CodesOf, AreTheWordsWithDigitsAndTheWholeQuestionWithoutPunctuation) {
    EXPECT_THAT(codes_of("not-0016"), ElementsAre("NOT0016"));
    EXPECT_THAT(codes_of("not 0016"), ElementsAre("NOT0016", "0016"));
    EXPECT_THAT(codes_of("teclado k72344us"), ElementsAre("TECLADOK72344US", "K72344US"));
    EXPECT_THAT(codes_of("tv"), IsEmpty());
    EXPECT_THAT(codes_of(std::string(1'000, '7')), IsEmpty());
}

TEST(EditsBetween, CountsASwapOfNeighboursAsOne) {
    EXPECT_EQ(edits_between("tecaldo", "teclado", 2), 1U);
    EXPECT_EQ(edits_between("corssair", "corsair", 2), 1U);
    EXPECT_EQ(edits_between("teclado", "teclado", 2), 0U);
    EXPECT_EQ(edits_between("prosesador", "procesador", 2), 1U);
    EXPECT_EQ(edits_between("notebook", "heladera", 2), 3U) << "more than the most";
    EXPECT_EQ(edits_between("", "ab", 2), 2U);
}

}  // namespace
}  // namespace decant::search::detail
