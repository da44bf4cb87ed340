# inquest_room(NAME DIR... [DEPENDS ROOM...] [LIBRARIES LIB...])
# One static library per room, from every .c file in its folders.
function(inquest_room name)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;LIBRARIES" ${ARGN})
  set(sources)
  foreach(dir IN LISTS ROOM_UNPARSED_ARGUMENTS)
    file(GLOB found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${dir}/*.c")
    list(APPEND sources ${found})
  endforeach()
  if(NOT sources)
    add_library(inquest_${name} INTERFACE)
    target_include_directories(inquest_${name} INTERFACE
      "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/core"
      "${PROJECT_SOURCE_DIR}")
    foreach(room IN LISTS ROOM_DEPENDS)
      target_link_libraries(inquest_${name} INTERFACE inquest_${room})
    endforeach()
    return()
  endif()
  add_library(inquest_${name} STATIC ${sources})
  target_include_directories(inquest_${name} PUBLIC
    "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/core"
    "${PROJECT_SOURCE_DIR}")
  target_link_libraries(inquest_${name} PRIVATE inquest_flags)
  foreach(room IN LISTS ROOM_DEPENDS)
    target_link_libraries(inquest_${name} PUBLIC inquest_${room})
  endforeach()
  target_link_libraries(inquest_${name} PUBLIC ${ROOM_LIBRARIES})
endfunction()

# inquest_program(NAME DIR [ROOM...]): one program per folder of tools/.
function(inquest_program name dir)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${dir}/*.c")
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
  target_link_libraries(${name} PRIVATE inquest_flags ${ARGN})
endfunction()

# The shipped analysis modules carry the descriptor of include/ptrace/pmodule.h
# under a name of their own, so that several fit into one program:
# modules/NAME.c defines pmodule_descriptor_NAME.
function(inquest_modules_named)
  file(GLOB modules CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/modules/*.c")
  foreach(file IN LISTS modules)
    get_filename_component(name "${file}" NAME_WE)
    set_source_files_properties("${file}" PROPERTIES
      COMPILE_DEFINITIONS PMODULE_SYMBOL=pmodule_descriptor_${name})
  endforeach()
endfunction()
