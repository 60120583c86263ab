# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` lays out, and how a program outside the tree finds it: find_package(millrace)
# gives millrace::millrace, `pkg-config millrace` the same flags. Both follow a prefix that is moved.
include(CMakePackageConfigHelpers)
set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/millrace)
string(REGEX REPLACE "[^/]+" ".." bin_up "${CMAKE_INSTALL_BINDIR}")

install(TARGETS millrace EXPORT millrace-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} NAMELINK_COMPONENT Development)
set_target_properties(millrace_cli PROPERTIES
  INSTALL_RPATH "$ORIGIN/${bin_up}/${CMAKE_INSTALL_LIBDIR}")
install(TARGETS millrace_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
set(warden_folder ${CMAKE_INSTALL_LIBEXECDIR}/millrace)
string(REGEX REPLACE "[^/]+" ".." warden_up "${warden_folder}")
set_target_properties(millrace-warden PROPERTIES
  INSTALL_RPATH "$ORIGIN/${warden_up}/${CMAKE_INSTALL_LIBDIR}")
install(TARGETS millrace-warden RUNTIME DESTINATION ${warden_folder})
install(DIRECTORY core/include/millrace DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")

install(EXPORT millrace-targets NAMESPACE millrace:: DESTINATION ${config_folder})
configure_package_config_file(cmake/millrace-config.cmake.in millrace-config.cmake
  INSTALL_DESTINATION ${config_folder} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(millrace-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/millrace-config.cmake
  ${PROJECT_BINARY_DIR}/millrace-config-version.cmake DESTINATION ${config_folder})

# ${pcfiledir} goes up as many folders as the library folder and pkgconfig/ are deep.
string(REGEX REPLACE "[^/]+" ".." pc_up "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
configure_file(cmake/millrace.pc.in millrace.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/millrace.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
