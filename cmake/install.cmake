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
