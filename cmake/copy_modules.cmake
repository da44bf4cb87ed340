# cmake -DFROM=DIR -DTO=DIR -P copy_modules.cmake: the Lua modules as they are
# installed, and no others. A module is a file NAME.lua or a folder NAME of
# parts, which are put together in the order of their names.
set(modes OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
file(REMOVE_RECURSE "${TO}")
file(MAKE_DIRECTORY "${TO}")
file(CHMOD "${TO}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
  GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
file(GLOB modules "${FROM}/*")
foreach(module IN LISTS modules)
  get_filename_component(name "${module}" NAME_WE)
  if(IS_DIRECTORY "${module}")
    file(GLOB parts "${module}/*.lua")
    list(SORT parts)
  else()
    set(parts "${module}")
  endif()
  foreach(part IN LISTS parts)
    file(READ "${part}" text)
    file(APPEND "${TO}/${name}.lua" "${text}")
  endforeach()
  file(CHMOD "${TO}/${name}.lua" PERMISSIONS ${modes})
endforeach()
