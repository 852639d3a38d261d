#include <cstdint>

#include "tests/fuzz/support/read_everything.hpp"
#include "tests/fuzz/support/scratch.hpp"

// A whole chroma.sqlite3.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const decant::fuzz::Scratch scratch;
    scratch.write("chroma.sqlite3", {data, size});
    decant::fuzz::read_everything(scratch.folder());
    return 0;
}
