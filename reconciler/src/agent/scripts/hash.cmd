@echo off
rem Hashes what lies in the staging folder named by the first argument (the SHA-256 that it should have).
setlocal
set "ROOT=C:\ProgramData\dataminer-reconciler"
echo @@hash 1
for /f "delims=" %%f in ('dir /b /a-d "%ROOT%\packages\%1"') do certutil -hashfile "%ROOT%\packages\%1\%%f" SHA256
echo @@end
exit /b 0
