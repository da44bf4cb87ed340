# Compiler flags: warnings, hardening, sanitizers.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(inquest_flags INTERFACE)
target_compile_definitions(inquest_flags INTERFACE
  _GNU_SOURCE _FILE_OFFSET_BITS=64 INQUEST_VERSION="${PROJECT_VERSION}")
target_compile_options(inquest_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2
  -Wvla -Wimplicit-fallthrough -Werror=return-type
  $<$<BOOL:${INQUEST_WERROR}>:-Werror>)
if(INQUEST_FUZZ)
  # Undefined behaviour is a finding, so it ends the program.
  target_compile_options(inquest_flags INTERFACE
    -fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1)
  target_link_options(inquest_flags INTERFACE -fsanitize=address,undefined)
elseif(INQUEST_SANITIZE)
  target_compile_options(inquest_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer -O1)
  target_link_options(inquest_flags INTERFACE -fsanitize=address,undefined)
elseif(INQUEST_RACES)
  target_compile_options(inquest_flags INTERFACE
    -fsanitize=thread -fno-omit-frame-pointer -O1)
  target_link_options(inquest_flags INTERFACE -fsanitize=thread)
else()
  target_compile_options(inquest_flags INTERFACE
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>
    -fstack-protector-strong)
  target_link_options(inquest_flags INTERFACE
    -Wl,-z,relro,-z,now)
  include(CheckPIESupported)
  check_pie_supported()
endif()
