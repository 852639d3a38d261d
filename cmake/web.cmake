# The files of src/web/page/ and the chart library are put into the program, byte for byte.
set(chart_dir ${PROJECT_SOURCE_DIR}/.deps/uplot-1.6.16)
set(chart_files ${chart_dir}/uPlot.iife.js ${chart_dir}/uPlot.min.css)
if(NOT EXISTS ${chart_dir}/uPlot.iife.js)
    message(FATAL_ERROR "${chart_dir} is missing: run scripts/setup")
endif()
file(GLOB page_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/web/page/*.*)
list(APPEND page_files ${chart_files})
list(SORT page_files)
set(symbols "")
set(rows "")
set(index 0)
foreach(page_file IN LISTS page_files)
    cmake_path(GET page_file FILENAME name)
    # `.incbin` reads the file when the generated source is compiled.
    string(APPEND symbols "asm(\".section .rodata\\n\"\n    \"decant_page_${index}: .incbin \\\"${page_file}\\\"\\n\"\n"
                          "    \"decant_page_${index}_end: .byte 0\\n\"\n    \".previous\\n\");\n"
                          "extern const char start_${index}[] asm(\"decant_page_${index}\");\n"
                          "extern const char end_${index}[] asm(\"decant_page_${index}_end\");\n")
    string(APPEND rows "    File{\"${name}\", {start_${index}, static_cast<std::size_t>(end_${index} - start_${index})}},\n")
    math(EXPR index "${index} + 1")
endforeach()
set(page_source ${PROJECT_BINARY_DIR}/generated/page_files.cpp)
file(WRITE ${page_source}.new "#include \"web/page.hpp\"\n\n#include <array>\n\n${symbols}\nnamespace decant::web {\n\n"
     "std::span<const File> page_files() noexcept {\n    static const std::array files{\n${rows}    };\n    return files;\n}\n\n"
     "}  // namespace decant::web\n")
configure_file(${page_source}.new ${page_source} COPYONLY)
set_source_files_properties(${page_source} PROPERTIES OBJECT_DEPENDS "${page_files}")
target_sources(decant_web PRIVATE ${page_source})
