# libinquest-snapshot: reads snapshots for other programs (ptrace/snapshot.h).
# Its version is that of the interface, not of Inquest.
set(sources)
foreach(dir core/base core/snapshot formats)
  file(GLOB found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${dir}/*.c")
  list(APPEND sources ${found})
endforeach()
add_library(inquest-snapshot SHARED ${sources})
set_target_properties(inquest-snapshot PROPERTIES VERSION 1.0.0 SOVERSION 1
  LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
target_include_directories(inquest-snapshot PRIVATE
  "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/core"
  "${PROJECT_SOURCE_DIR}")
target_link_libraries(inquest-snapshot PRIVATE inquest_flags ${ZSTD_LIB} m)
# Only the functions of the header, with their version.
target_link_options(inquest-snapshot PRIVATE
  "-Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/snapshot.map")
set_property(TARGET inquest-snapshot APPEND PROPERTY LINK_DEPENDS
  "${PROJECT_SOURCE_DIR}/cmake/snapshot.map")
