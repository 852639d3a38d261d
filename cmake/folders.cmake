# Every folder of src/ is one static library, decant_<folder>, made of all its .cpp files.
function(decant_folder name)
    cmake_parse_arguments(arg "" "" "USES" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
    add_library(decant_${name} STATIC ${sources})
    target_include_directories(decant_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_include_directories(decant_${name} SYSTEM PUBLIC ${Boost_INCLUDE_DIRS})
    target_link_libraries(decant_${name} PUBLIC ${arg_USES} Threads::Threads PRIVATE decant_warnings)
endfunction()
