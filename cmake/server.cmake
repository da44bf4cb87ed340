# The server programs: where they are put, units, configuration.
#
# The configuration is where GNUInstallDirs wants it: /etc/coresnap with the
# prefix /usr, /etc/opt/NAME/coresnap with /opt/NAME.
set(CORESNAP_BIN ${CMAKE_INSTALL_FULL_BINDIR})
set(CORESNAP_SBIN ${CMAKE_INSTALL_FULL_SBINDIR})
set(system ${PROJECT_SOURCE_DIR}/tools/coresnapd/system)
set(made ${PROJECT_BINARY_DIR}/system)
foreach(file coresnapd.service coresnapd.socket coresnap.conf coresnap.tmpfiles
    coresnapd.init)
  configure_file(${system}/${file}.in ${made}/${file} @ONLY)
endforeach()

install(TARGETS invoker coresnap coresnap-send
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS coresnapd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES docs/man/invoker.1 docs/man/coresnap-send.1
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/coresnap.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES docs/man/coresnap.8 docs/man/coresnapd.8
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
foreach(program invoker coresnap coresnapd)
  install(FILES tools/completion/${program}.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    RENAME ${program})
endforeach()
# Relative where it is below the prefix, so that an installation may be put
# elsewhere (cmake --install --prefix).
set(etc ${CMAKE_INSTALL_SYSCONFDIR})
if(CMAKE_INSTALL_PREFIX MATCHES "^/(usr|opt/.*)$")
  set(etc ${CMAKE_INSTALL_FULL_SYSCONFDIR})
endif()
install(FILES ${made}/coresnap.conf DESTINATION ${etc}/coresnap)
install(PROGRAMS ${system}/defaults.example
  DESTINATION ${CMAKE_INSTALL_DATADIR}/inquest/coresnap)
install(PROGRAMS ${made}/coresnapd.init
  DESTINATION ${CMAKE_INSTALL_DATADIR}/inquest/coresnap RENAME coresnapd.init)
# Where systemd looks: not below /opt.
set(lib lib)
if(CMAKE_INSTALL_PREFIX MATCHES "^/opt/")
  set(lib /usr/lib)
endif()
set(INQUEST_UNIT_DIR "${lib}/systemd/system" CACHE STRING
  "Directory for systemd units; below the prefix when relative")
set(INQUEST_TMPFILES_DIR "${lib}/tmpfiles.d" CACHE STRING
  "Directory for tmpfiles.d; below the prefix when relative")
install(FILES ${made}/coresnapd.service ${made}/coresnapd.socket
  DESTINATION ${INQUEST_UNIT_DIR})
install(FILES ${made}/coresnap.tmpfiles
  DESTINATION ${INQUEST_TMPFILES_DIR} RENAME coresnap.conf)

# A Debian package: cpack -G DEB in the build directory.
set(CPACK_PACKAGE_NAME inquest)
set(CPACK_PACKAGE_VENDOR "Inquest")
set(CPACK_PACKAGE_CONTACT "Inquest maintainers <inquest@localhost>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
  "Snapshots of crashed and running processes, and why they died")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Loaded when modules run (lua/api.c), so it is not found by that.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libluajit-5.1-2")
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
foreach(script postinst prerm postrm)
  configure_file(cmake/package/${script}.in ${made}/${script}
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
      GROUP_EXECUTE WORLD_READ WORLD_EXECUTE @ONLY)
  list(APPEND control ${made}/${script})
endforeach()
file(WRITE ${made}/conffiles
  "${CMAKE_INSTALL_FULL_SYSCONFDIR}/coresnap/coresnap.conf\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${control} ${made}/conffiles)
include(CPack)
