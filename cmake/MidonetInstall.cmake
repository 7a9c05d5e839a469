# make install DESTDIR= PREFIX=

include(GNUInstallDirs)
install(TARGETS midolman midonet-api midonet-cli midonet-nsdb mm-conf RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES $<TARGET_FILE_DIR:mm-conf>/mn-conf DESTINATION ${CMAKE_INSTALL_BINDIR})
install(PROGRAMS lab/midonet-lab DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
