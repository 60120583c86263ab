# SPDX-License-Identifier: Apache-2.0
# The shared library.
add_library(millrace SHARED $<TARGET_OBJECTS:mr_objects>)
add_library(millrace::millrace ALIAS millrace)
target_include_directories(millrace PUBLIC
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/core/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(millrace PRIVATE mr_dependencies mr_flags)
set_target_properties(millrace PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})

# The program that the library starts beside a trainer. All its code is in the library.
add_executable(millrace-warden core/warden/warden_main.c)
target_link_libraries(millrace-warden PRIVATE millrace mr_flags)
