# The Lua modules that come with Inquest (lua/modules): installed under
# share, and in the build tree at a place of the same form below the programs.
# ptrace goes from its own place to them (tools/common/compose.c).
include(GNUInstallDirs)
set(INQUEST_MODULES_DIR "${CMAKE_INSTALL_DATADIR}/inquest/modules")
file(RELATIVE_PATH INQUEST_MODULES_FROM_BIN
  "${CMAKE_INSTALL_FULL_BINDIR}"
  "${CMAKE_INSTALL_FULL_DATADIR}/inquest/modules")
set(INQUEST_MODULES_IN_BUILD share/inquest/modules)

file(GLOB lua_modules CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/lua/modules/*.lua"
  "${PROJECT_SOURCE_DIR}/lua/modules/*/*.lua")
set(stamp "${PROJECT_BINARY_DIR}/lua_modules.stamp")
# A script, because modules that others can write to are not loaded: the modes
# of a checkout must not matter.
add_custom_command(OUTPUT "${stamp}"
  COMMAND "${CMAKE_COMMAND}"
    "-DFROM=${PROJECT_SOURCE_DIR}/lua/modules"
    "-DTO=${PROJECT_BINARY_DIR}/${INQUEST_MODULES_IN_BUILD}"
    -P "${PROJECT_SOURCE_DIR}/cmake/copy_modules.cmake"
  COMMAND "${CMAKE_COMMAND}" -E touch "${stamp}"
  DEPENDS ${lua_modules} "${PROJECT_SOURCE_DIR}/cmake/copy_modules.cmake"
  VERBATIM)
add_custom_target(inquest_lua_modules DEPENDS "${stamp}")
install(DIRECTORY "${PROJECT_BINARY_DIR}/${INQUEST_MODULES_IN_BUILD}/"
  DESTINATION "${INQUEST_MODULES_DIR}" USE_SOURCE_PERMISSIONS)
