# cmake -DFROM=DIR -DTO=DIR -P copy_modules.cmake: the modules as they would be
# installed, and no others.
file(REMOVE_RECURSE "${TO}")
file(MAKE_DIRECTORY "${TO}")
file(CHMOD "${TO}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
  GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
file(GLOB modules "${FROM}/*.lua")
if(modules)
  file(COPY ${modules} DESTINATION "${TO}"
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endif()
