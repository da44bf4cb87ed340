# The names of the system calls, for messages: INQUEST_CALL(NAME) for each that
# the compiler's headers know, in generated/syscalls.inc.
execute_process(
  COMMAND ${CMAKE_C_COMPILER} -E -dM -include sys/syscall.h -x c /dev/null
  OUTPUT_VARIABLE macros RESULT_VARIABLE failed)
string(REGEX MATCHALL "#define SYS_[a-z0-9_]+ " names "${macros}")
if(failed OR NOT names)
  message(FATAL_ERROR "The names of the system calls cannot be had from "
    "<sys/syscall.h>")
endif()
list(TRANSFORM names REPLACE "#define SYS_([a-z0-9_]+) " "INQUEST_CALL(\\1)\n")
list(SORT names)
string(JOIN "" text ${names})
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/generated/syscalls.inc"
  CONTENT "${text}" @ONLY)
target_include_directories(inquest_session PRIVATE
  "${PROJECT_BINARY_DIR}/generated")
