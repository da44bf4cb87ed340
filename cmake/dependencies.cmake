# Every third-party library, found once. Reasons: docs/architecture.md.
find_package(ZLIB REQUIRED)
find_library(ZSTD_LIB zstd REQUIRED)
find_library(DEFLATE_LIB deflate REQUIRED)
find_library(LZMA_LIB lzma REQUIRED)
find_library(ZYDIS_LIB Zydis REQUIRED)
# libiberty has no shared form; Debian's archive is position independent.
find_library(IBERTY_LIB NAMES libiberty_pic.a libiberty.a iberty REQUIRED)
