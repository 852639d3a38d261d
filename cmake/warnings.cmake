add_library(decant_warnings INTERFACE)
target_compile_options(decant_warnings INTERFACE
    -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
    -Werror
    # Designated initialisers leave members at their defaults on purpose.
    -Wno-missing-field-initializers)
# GCC 12 and 13 report false positives of these inside the standard library at -O2.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(decant_warnings INTERFACE -Wno-error=maybe-uninitialized -Wno-error=restrict)
    # clang has it in -Wall; only the build with sanitizers would tell.
    target_compile_options(decant_warnings INTERFACE -Wunused-const-variable=1)
endif()
# In its stable_sort, libstdc++ 12 calls what it has itself marked as deprecated; clang tells of it.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(decant_warnings INTERFACE -Wno-error=deprecated-declarations)
endif()
