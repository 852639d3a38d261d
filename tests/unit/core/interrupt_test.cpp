#include "core/interrupt.hpp"

#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>

namespace decant {
namespace {

TEST(Interrupt, NotesTheFirstSignal) {
    EXPECT_EXIT(
        {
            catch_interrupts();
            const bool was_quiet = !interrupted();
            std::raise(SIGTERM);
            std::_Exit(was_quiet && interrupted() == SIGTERM ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
}

TEST(Interrupt, EndsTheProcessAtTheSecondSignal) {
    EXPECT_EXIT(
        {
            catch_interrupts();
            std::raise(SIGTERM);
            std::raise(SIGINT);
        },
        testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace decant
