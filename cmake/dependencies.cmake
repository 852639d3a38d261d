find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(simdjson REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc data)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
# Its registry and text form; the rest of it is not linked.
find_package(prometheus-cpp REQUIRED)

# OpenVINO and the models are put here by scripts/setup; scripts/lib/models.sh names the folder too.
set(openvino_dir ${PROJECT_SOURCE_DIR}/.deps/openvino-2026.4.1)
if(NOT EXISTS ${openvino_dir}/lib/libopenvino.so)
    message(FATAL_ERROR "${openvino_dir} is missing: run scripts/setup")
endif()
add_library(openvino SHARED IMPORTED)
set_target_properties(openvino PROPERTIES IMPORTED_LOCATION ${openvino_dir}/lib/libopenvino.so
                                          INTERFACE_INCLUDE_DIRECTORIES ${openvino_dir}/include)
find_library(sentencepiece_library sentencepiece REQUIRED)
