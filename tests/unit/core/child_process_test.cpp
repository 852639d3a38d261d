#include "core/child_process.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include "core/error.hpp"

namespace decant {
namespace {

TEST(ChildProcess, GivesExitCodeAndBothOutputs) {
    const ProgramResult result = run_program({.argv = {"/bin/sh", "-c", "echo out; echo err >&2; exit 3"}});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(result.output, "out\nerr\n");
}

TEST(ChildProcess, GivesTheInputAndTheEnvironmentToTheProgram) {
    const ProgramResult result = run_program(
        {.argv = {"/bin/sh", "-c", "cat; echo $PLACE; pwd"}, .environment = {"PLACE=here"}, .input = "line\n"});
    EXPECT_EQ(result.output, "line\nhere\n/\n");
}

TEST(ChildProcess, TellsASignalByItsNumber) {
    EXPECT_EQ(run_program({.argv = {"/bin/sh", "-c", "kill -KILL $$"}}).exit_code, 128 + SIGKILL);
}

TEST(ChildProcess, OutlivesAProgramThatDoesNotReadItsInput) {
    EXPECT_EQ(run_program({.argv = {"/bin/true"}, .input = std::string(10'000, 'x')}).exit_code, 0);
}

TEST(ChildProcess, EndsAProgramThatIsNotToGoOn) {
    const ProgramResult result =
        run_program({.argv = {"/bin/sh", "-c", "exec sleep 600"}, .goes_on = [] { return false; }});
    EXPECT_EQ(result.exit_code, 128 + SIGTERM);
}

TEST(ChildProcess, ThrowsWhenTheProgramIsMissing) {
    EXPECT_THROW(run_program({.argv = {"/no/such/program"}}), Error);
}

}  // namespace
}  // namespace decant
