#include "core/fold_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FoldText, IsInLowerCaseAndWithoutAccents) {
    EXPECT_EQ(fold_text("ÁRBOL Ñandú Çelik Łódź žižek"), "arbol nandu celik lodz zizek");
}

TEST(FoldText, LeavesOtherCharactersAndBytes) {
    EXPECT_EQ(fold_text("15,6\" ×2 ß 日本 \xff\xc3"), "15,6\" ×2 ß 日本 \xff\xc3");
}

TEST(WordsOf, AreLettersAndDigitsWithThePointsAndCommasBetweenDigits) {
    EXPECT_THAT(words_of("¿Wi-Fi 2.4GHz, 1.500,50? ¡sí!"), ElementsAre("Wi", "Fi", "2.4GHz", "1.500,50", "sí"));
    EXPECT_THAT(words_of(" .,; "), IsEmpty());
}

TEST(WordsOf, AreEndedBySignsThatAreNotAscii) {
    EXPECT_THAT(words_of("300€ 15” ≤300 A→B Corsair™ 20–30 «x»"),
                ElementsAre("300", "15", "300", "A", "B", "Corsair", "20", "30", "x"));
}

}  // namespace
}  // namespace decant
