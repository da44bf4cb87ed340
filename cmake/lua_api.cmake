# LuaJIT is loaded when there are modules to run (lua/api.c), not when a program
# starts: what is needed of it here is its name for the dynamic linker.
execute_process(COMMAND ${CMAKE_READELF} -d ${LUAJIT_LIB}
  OUTPUT_VARIABLE dynamic ERROR_QUIET)
if(NOT dynamic MATCHES "SONAME[^[]*\\[([^]]+)\\]")
  message(FATAL_ERROR "${LUAJIT_LIB} is no shared library with a name: install "
    "libluajit-5.1-dev, or set LUAJIT_LIB")
endif()
target_compile_definitions(inquest_lua PRIVATE
  INQUEST_LUAJIT_SONAME="${CMAKE_MATCH_1}")
target_include_directories(inquest_lua SYSTEM PUBLIC ${LUAJIT_INCLUDE})
target_link_libraries(inquest_lua PUBLIC ${CMAKE_DL_LIBS})
