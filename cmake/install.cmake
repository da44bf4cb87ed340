# What `cmake --install build` puts where.
include(GNUInstallDirs)

foreach(program ptrace bt)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
  install(FILES docs/man/${program}.1
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endforeach()
install(TARGETS inquest-snapshot LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/bt.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/ptrace DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
# One file serves both programs; bash-completion loads it by the command's name.
install(FILES tools/completion/ptrace.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME ptrace)
install(FILES tools/completion/ptrace.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME bt)
# Nobody else may be able to write to modules: the modes of a checkout must not
# matter.
install(DIRECTORY lua/examples/ DESTINATION
  ${CMAKE_INSTALL_DATADIR}/inquest/examples
  FILES_MATCHING PATTERN "*.lua"
  PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
install(PROGRAMS lua/examples/asterisk/ast_coredumper
  DESTINATION ${CMAKE_INSTALL_DATADIR}/inquest/examples/asterisk)
# For people who write modules, and programs that read snapshots.
install(FILES lua/inquest.d.lua
  DESTINATION ${CMAKE_INSTALL_DATADIR}/inquest/lua)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Inquest)
# From the file's own place, so that the installation may be moved.
file(RELATIVE_PATH INQUEST_PC_TO_PREFIX
  ${CMAKE_INSTALL_PREFIX}/${pkgconfig_dir} ${CMAKE_INSTALL_PREFIX})
foreach(name inquest inquest-snapshot)
  configure_file(cmake/package/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pkgconfig_dir})
endforeach()
include(CMakePackageConfigHelpers)
get_target_property(INQUEST_SNAPSHOT_SOVERSION inquest-snapshot SOVERSION)
configure_package_config_file(cmake/package/InquestConfig.cmake.in
  ${PROJECT_BINARY_DIR}/InquestConfig.cmake
  INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/InquestConfigVersion.cmake
  VERSION ${INQUEST_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/InquestConfig.cmake
  ${PROJECT_BINARY_DIR}/InquestConfigVersion.cmake
  DESTINATION ${package_dir})
include(cmake/server.cmake)
