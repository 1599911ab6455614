@echo off
rem Free bytes of the system drive. The words are localised, the numbers are not.
setlocal
echo @@disk
fsutil volume diskfree C:
echo @@end
exit /b 0
