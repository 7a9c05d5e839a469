# make install DESTDIR= PREFIX=

include(GNUInstallDirs)
install(TARGETS midolman midonet-api midonet-cli midonet-nsdb RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(PROGRAMS lab/midonet-lab DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
