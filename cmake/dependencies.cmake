# Every third-party library, found once. Reasons: docs/architecture.md.
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_library(ZSTD_LIB zstd REQUIRED)
find_library(LZMA_LIB lzma REQUIRED)
find_library(ZYDIS_LIB Zydis REQUIRED)
# libiberty has no shared form; Debian's archive is position independent.
find_library(IBERTY_LIB NAMES libiberty_pic.a libiberty.a iberty REQUIRED)
find_library(CURL_LIB curl REQUIRED)
find_library(LUAJIT_LIB luajit-5.1 REQUIRED)
find_path(LUAJIT_INCLUDE luajit.h PATH_SUFFIXES luajit-2.1 REQUIRED)
