# find_package(mqttp2p) gives:
#   mqttp2p::mqttp2p   the library, shared if there is a shared one
#   mqttp2p::static    the static library
#   mqttp2p::posix     mqttp2p::mqttp2p with the helper for sockets
#   mqttp2p::openssl   mqttp2p::posix with TLS by OpenSSL; only if find_package(OpenSSL) finds it
# Link one of them; the helpers are compiled with the program.

get_filename_component(_mqttp2p_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(_mqttp2p_sources "${_mqttp2p_prefix}/share/mqttp2p")
set(_mqttp2p_lib_dirs lib lib64 "lib/${CMAKE_LIBRARY_ARCHITECTURE}")

find_path(mqttp2p_INCLUDE_DIR mqttp2p.h PATHS "${_mqttp2p_prefix}/include" NO_DEFAULT_PATH)
find_library(mqttp2p_LIBRARY NAMES mqttp2p PATHS "${_mqttp2p_prefix}" PATH_SUFFIXES ${_mqttp2p_lib_dirs} NO_DEFAULT_PATH)
find_library(mqttp2p_STATIC_LIBRARY NAMES libmqttp2p.a PATHS "${_mqttp2p_prefix}" PATH_SUFFIXES ${_mqttp2p_lib_dirs}
             NO_DEFAULT_PATH)
mark_as_advanced(mqttp2p_INCLUDE_DIR mqttp2p_LIBRARY mqttp2p_STATIC_LIBRARY)

include(CMakeFindDependencyMacro)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(mqttp2p REQUIRED_VARS mqttp2p_LIBRARY mqttp2p_INCLUDE_DIR)
if(NOT mqttp2p_FOUND)
    return()
endif()

if(NOT TARGET mqttp2p::mqttp2p)
    add_library(mqttp2p::mqttp2p UNKNOWN IMPORTED)
    set_target_properties(mqttp2p::mqttp2p PROPERTIES
        IMPORTED_LOCATION "${mqttp2p_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${mqttp2p_INCLUDE_DIR}")
endif()

if(mqttp2p_STATIC_LIBRARY AND NOT TARGET mqttp2p::static)
    find_dependency(Threads)
    add_library(mqttp2p::static STATIC IMPORTED)
    set_target_properties(mqttp2p::static PROPERTIES
        IMPORTED_LOCATION "${mqttp2p_STATIC_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${mqttp2p_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
endif()

if(UNIX AND NOT TARGET mqttp2p::posix)
    add_library(mqttp2p::posix INTERFACE IMPORTED)
    set_target_properties(mqttp2p::posix PROPERTIES
        INTERFACE_SOURCES "${_mqttp2p_sources}/mqttp2p_posix.c"
        INTERFACE_LINK_LIBRARIES mqttp2p::mqttp2p)
endif()

if(UNIX AND NOT TARGET mqttp2p::openssl)
    find_package(OpenSSL QUIET)
    if(OpenSSL_FOUND)
        add_library(mqttp2p::openssl INTERFACE IMPORTED)
        set_target_properties(mqttp2p::openssl PROPERTIES
            INTERFACE_SOURCES "${_mqttp2p_sources}/mqttp2p_openssl.c"
            INTERFACE_LINK_LIBRARIES "mqttp2p::posix;OpenSSL::SSL;OpenSSL::Crypto")
    endif()
endif()
