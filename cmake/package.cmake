# The packages decant and decant-models. scripts/package makes them: it puts what is generated (manual pages,
# completions, changelogs, the SBOM) into build/PRESET/package/NAME, which is laid over /usr here.
include(GNUInstallDirs)
set(debian_dir ${PROJECT_SOURCE_DIR}/deploy/debian)
set(made_dir ${PROJECT_BINARY_DIR}/package)

set_target_properties(decant PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/decant")
install(TARGETS decant RUNTIME DESTINATION bin COMPONENT decant)
# OpenVINO finds its parts beside itself.
file(GLOB openvino_libraries ${openvino_dir}/lib/*.so.* ${openvino_dir}/lib/*_plugin.so)
install(FILES ${openvino_libraries} DESTINATION lib/decant COMPONENT decant)
install(PROGRAMS deploy/health DESTINATION lib/decant COMPONENT decant)
install(FILES deploy/decant.service DESTINATION /lib/systemd/system COMPONENT decant)
install(FILES deploy/decant.sysusers DESTINATION lib/sysusers.d RENAME decant.conf COMPONENT decant)
install(FILES deploy/decant.logrotate DESTINATION /etc/logrotate.d RENAME decant COMPONENT decant)
install(FILES .env.example DESTINATION /etc/decant RENAME decant.env COMPONENT decant)
install(DIRECTORY ${openvino_dir}/licenses/ DESTINATION share/doc/decant/openvino COMPONENT decant)
install(DIRECTORY migrations/ DESTINATION share/decant/migrations COMPONENT decant)
install(FILES README.md ARCHITECTURE.md DESTINATION share/doc/decant COMPONENT decant)
install(DIRECTORY docs/ DESTINATION share/doc/decant/docs COMPONENT decant)
install(FILES deploy/prometheus-rules.yaml deploy/grafana-dashboard.json DESTINATION share/doc/decant/examples
        COMPONENT decant)
install(DIRECTORY ${made_dir}/decant/ DESTINATION . COMPONENT decant OPTIONAL)
file(REAL_PATH .deps/models models_dir BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
install(DIRECTORY ${models_dir}/ DESTINATION share/decant/models COMPONENT models)
install(DIRECTORY ${made_dir}/decant-models/ DESTINATION . COMPONENT models OPTIONAL)
foreach(component decant models)
    set(package decant)
    if(component STREQUAL models)
        set(package decant-models)
    endif()
    install(FILES ${debian_dir}/copyright DESTINATION share/doc/${package} COMPONENT ${component})
    install(FILES ${debian_dir}/${package}.lintian-overrides DESTINATION share/lintian/overrides RENAME ${package}
            COMPONENT ${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGE_CONTACT "decant maintainers <maintainers@decant.example>")  # scripts/package names another
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL decant models)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                                WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_COMPRESSION_TYPE gzip)  # a tenth of the time of xz; lintian knows no zstd
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_DECANT_PACKAGE_NAME decant)
set(CPACK_DEBIAN_DECANT_PACKAGE_SECTION database)
set(CPACK_COMPONENT_DECANT_DESCRIPTION "product search on PostgreSQL with pgvector
Moves product embeddings from ChromaDB into PostgreSQL with pgvector, proves
them equal, keeps them fresh, and searches them: by command line, HTTP API,
chat and web page. PostgreSQL is its only state; it may be on another host.

Vectors are computed by the models of the package decant-models, by an Ollama
server, or by one like OpenAI's.")
set(CPACK_DEBIAN_DECANT_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${openvino_dir}/lib)
set(CPACK_DEBIAN_DECANT_PACKAGE_DEPENDS
    "ca-certificates, systemd | systemd-standalone-sysusers | systemd-sysusers")
# pgvector belongs to a version of the server; the newest there is goes first.
set(CPACK_DEBIAN_DECANT_PACKAGE_RECOMMENDS "decant-models, postgresql, postgresql-client, \
postgresql-18-pgvector | postgresql-17-pgvector | postgresql-16-pgvector | postgresql-15-pgvector")
set(CPACK_DEBIAN_DECANT_PACKAGE_SUGGESTS "logrotate, prometheus")
set(CPACK_DEBIAN_DECANT_PACKAGE_CONTROL_EXTRA ${debian_dir}/conffiles ${debian_dir}/postinst ${debian_dir}/prerm
                                              ${debian_dir}/postrm)

set(CPACK_DEBIAN_MODELS_PACKAGE_NAME decant-models)
set(CPACK_DEBIAN_MODELS_PACKAGE_SECTION database)
set(CPACK_DEBIAN_MODELS_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_MODELS_PACKAGE_ENHANCES decant)
set(CPACK_COMPONENT_MODELS_DESCRIPTION "embedding models that decant runs in its own process
multilingual-e5-small, for quality, and the universal sentence encoder,
multilingual, for speed: texts of many languages become vectors without a
server of models. Not needed where Ollama or another server embeds.")
include(CPack)
