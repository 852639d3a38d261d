#include "chat/language.hpp"

#include <gtest/gtest.h>

namespace decant::chat {
namespace {

TEST(Language, IsKnownByItsSmallWords) {
    for (const char* message : {"quiero una laptop gamer", "¿y más barata?", "hola", "stock de la primera", "chau",
                                "mostrame monitores baratos", "qué venden", "compará las dos primeras"})
        EXPECT_EQ(language_of(message), Language::spanish) << message;
    for (const char* message : {"I want a gaming laptop", "the second one", "hello", "is it in stock?", "bye",
                                "show me cheap monitors", "what do you sell", "compare the first two"})
        EXPECT_EQ(language_of(message), Language::english) << message;
}

TEST(Language, IsNotGuessedOfNamesAlone) {
    for (const char* message : {"notebook gamer", "NOT-0001", "Lenovo ThinkPad T14", "SSD 1 TB", "", "???"})
        EXPECT_FALSE(language_of(message)) << message;
}

TEST(Language, IsToldByLettersOfSpanish) {
    EXPECT_EQ(language_of("teclado mecánico"), Language::spanish);
    EXPECT_EQ(language_of("¿notebook?"), Language::spanish);
}

}  // namespace
}  // namespace decant::chat
