@echo off
rem Closes our folder to ordinary users and makes its parts. Done twice equals done once.
rem Ownership first: who owns a folder can always open it again.
setlocal
set "ROOT=C:\ProgramData\dataminer-reconciler"
icacls "%ROOT%" /setowner *S-1-5-32-544 /t /c /q >nul
if errorlevel 1 exit /b 20
icacls "%ROOT%" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F >nul
if errorlevel 1 exit /b 21
icacls "%ROOT%\*" /reset /t /c /q >nul
if errorlevel 1 exit /b 21
if not exist "%ROOT%\generations\" md "%ROOT%\generations"
if not exist "%ROOT%\owed\" md "%ROOT%\owed"
if not exist "%ROOT%\packages\" md "%ROOT%\packages"
if not exist "%ROOT%\content\" md "%ROOT%\content"
if not exist "%ROOT%\jobs\" md "%ROOT%\jobs"
if not exist "%ROOT%\jobs\" exit /b 22
exit /b 0
